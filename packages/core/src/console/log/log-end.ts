/** The last bytes of a console, with their times, for a log that has no room for all of them. */

/** Bytes that came together. */
export interface TimedBytes {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Keeps what came last, at most so many bytes. */
export class LogEnd {
  /** Bytes that came and are not kept. */
  leftOut = 0
  readonly #limit: number
  #pieces: TimedBytes[] = []
  #first = 0
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(bytes: Uint8Array, at: number): void {
    // A copy: a small part of a large buffer would keep all of it.
    this.#pieces.push({ at, bytes: Uint8Array.from(bytes) })
    this.#length += bytes.length
    while (this.#length > this.#limit) this.#drop(this.#length - this.#limit)
    if (this.#first > 1024 && this.#first > this.#pieces.length / 2) {
      this.#pieces = this.#pieces.slice(this.#first)
      this.#first = 0
    }
  }

  /** What is kept, oldest first. */
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
