/**
 * A file of JSON values, one a line, each on disk as soon as it is added. It is made with the first of them, and written
 * without waiting for the disk: a kill of this process loses none, a loss of power may.
 */
import { closeSync, openSync, writeSync } from 'node:fs'

/** Options of {@link JsonLinesFile}. */
export interface JsonLinesOptions {
  /** Most bytes of the file; what comes then is left out. */
  readonly maxBytes: number
  /** Makes the last line of a file that has reached that. */
  readonly cut: (text: string) => unknown
}

/** Room for the line that says so. */
const CUT_BYTES = 512

/** Writes one file. */
export class JsonLinesFile {
  /** Lines left out. */
  leftOut = 0
  readonly #path: string
  readonly #options: JsonLinesOptions
  #descriptor: number | undefined
  #bytes = 0

  constructor(path: string, options: JsonLinesOptions) {
    this.#path = path
    this.#options = options
  }

  /** @throws the disk's error */
  add(value: unknown): void {
    if (this.leftOut > 0) {
      this.leftOut++
      return
    }
    const line = Buffer.from(`${JSON.stringify(value)}\n`)
    const { maxBytes, cut } = this.#options
    if (this.#bytes + line.length <= maxBytes - CUT_BYTES) {
      this.#write(line)
      return
    }
    this.leftOut++
    this.#write(
      Buffer.from(`${JSON.stringify(cut(`This file may have ${maxBytes} bytes: what follows is left out.`))}\n`),
    )
  }

  /** Closes the file. Idempotent. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #write(line: Buffer): void {
    // Behind what is there: another machine's record may have been closed and continued.
    this.#descriptor ??= openSync(this.#path, this.#bytes === 0 ? 'w' : 'a', 0o600)
    for (let written = 0; written < line.length; ) written += writeSync(this.#descriptor, line, written)
    this.#bytes += line.length
  }
}
