/** Copies the console output to streams. A slow or failing stream never delays the machine. */
import type { Writable } from 'node:stream'

/** Size of the buffer for a slow stream, bytes. Output beyond it is not passed to the stream. */
const MOST_BEHIND = 16 * 2 ** 20

/** The output streams of one console. */
export class OutputTee {
  readonly #outputTee: Set<Writable>
  readonly #late = new Set<Writable>()
  readonly #onWarning: (message: string) => void

  constructor(sinks: readonly Writable[], onWarning: (message: string) => void) {
    this.#outputTee = new Set(sinks)
    this.#onWarning = onWarning
    for (const sink of this.#outputTee) sink.on('error', (error) => this.#fail(sink, error))
  }

  write(chunk: Uint8Array): void {
    for (const sink of this.#outputTee) {
      if (!sink.writable) continue
      if (sink.writableLength + chunk.length <= MOST_BEHIND) sink.write(chunk)
      else this.#skip(sink)
    }
  }

  #skip(sink: Writable): void {
    if (this.#late.has(sink)) return
    this.#late.add(sink)
    this.#onWarning(`A stream in serialOutput is too slow and misses part of the console. The log file is complete.`)
  }

  #fail(sink: Writable, error: Error): void {
    if (!this.#outputTee.delete(sink)) return
    this.#onWarning(`A stream in serialOutput failed and receives no more output: ${error.message}`)
  }
}
