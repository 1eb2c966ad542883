/** Buffer for the output of a running command. */

/** Bytes kept from the end of each output of a killed command, for all transports. */
export const KEPT_BYTES = 65_536

/** Most bytes of output of one command in memory. */
export const MOST_BYTES: number = 256 * 2 ** 20

/** A command printed more than {@link MOST_BYTES}. */
export class TooMuchOutput extends Error {}

/** Standard output or standard error of one command. */
export class OutputBuffer {
  #pieces: Uint8Array[] = []
  #length = 0

  add(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#length += piece.length
  }

  /** Number of bytes so far. */
  get length(): number {
    return this.#length
  }

  /** The whole output. */
  whole(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  /** The last bytes, at most {@link KEPT_BYTES}. */
  end(): Buffer {
    const last: Uint8Array[] = []
    let length = 0
    for (let index = this.#pieces.length - 1; index >= 0 && length < KEPT_BYTES; index--) {
      const piece = this.#pieces[index] ?? new Uint8Array(0)
      last.unshift(piece)
      length += piece.length
    }
    return Buffer.concat(last).subarray(-KEPT_BYTES)
  }
}
