/**
 * Writes JSON values to a file, one per line. Each value is written at once but not synced: it survives the end of this
 * process, but not always a power failure. The file is created with the first value.
 */
import { closeSync, openSync, writeSync } from 'node:fs'

/** Options of {@link JsonLinesFile}. */
export interface JsonLinesOptions {
  /** Maximum size of the file, bytes. Later values are left out. */
  readonly maxBytes: number
  /** Creates the last value of a full file. */
  readonly cut: (text: string) => unknown
}

/** Space reserved for the last value, bytes. */
const CUT_BYTES = 512

/** Writes one file. */
export class JsonLinesFile {
  /** Number of values that were left out. */
  leftOut = 0
  readonly #path: string
  readonly #options: JsonLinesOptions
  #descriptor: number | undefined
  #bytes = 0

  constructor(path: string, options: JsonLinesOptions) {
    this.#path = path
    this.#options = options
  }

  /** @throws file system errors */
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
      Buffer.from(`${JSON.stringify(cut(`The rest is left out: this file is limited to ${maxBytes} bytes.`))}\n`),
    )
  }

  /** Closes the file. Idempotent. */
  close(): void {
    const descriptor = this.#descriptor
    // Forgets the descriptor first. After an error, it is closed too, and the number may belong to another file.
    this.#descriptor = undefined
    if (descriptor !== undefined) closeSync(descriptor)
  }

  #write(line: Buffer): void {
    // Appends after the first write, because the file may have been closed in between.
    this.#descriptor ??= openSync(this.#path, this.#bytes === 0 ? 'w' : 'a', 0o600)
    for (let written = 0; written < line.length; ) written += writeSync(this.#descriptor, line, written)
    this.#bytes += line.length
  }
}
