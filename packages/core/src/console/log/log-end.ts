/** Keeps the last output of a console, with its times, for a log that has reached its size limit. */

/** Bytes with the time of their arrival. */
export interface TimedBytes {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Keeps the last bytes, up to a limit. */
export class LogEnd {
  /** Number of bytes that were dropped. */
  leftOut = 0
  readonly #limit: number
  #pieces: TimedBytes[] = []
  #first = 0
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(bytes: Uint8Array, at: number): void {
    // Copied, because a reference to a small part would keep the whole buffer in memory.
    this.#pieces.push({ at, bytes: Uint8Array.from(bytes) })
    this.#length += bytes.length
    while (this.#length > this.#limit) this.#drop(this.#length - this.#limit)
    if (this.#first > 1024 && this.#first > this.#pieces.length / 2) {
      this.#pieces = this.#pieces.slice(this.#first)
      this.#first = 0
    }
  }

  /** The kept output, the oldest first. */
  get pieces(): readonly TimedBytes[] {
    return this.#pieces.slice(this.#first)
  }

  #drop(excess: number): void {
    const piece = this.#pieces[this.#first]
    if (piece === undefined) return
    const dropped = Math.min(excess, piece.bytes.length)
    if (dropped === piece.bytes.length) this.#first++
    else this.#pieces[this.#first] = { at: piece.at, bytes: piece.bytes.subarray(dropped) }
    this.#length -= dropped
    this.leftOut += dropped
  }
}
