/** Writes input to the console, and remembers the last typed lines for error messages. */
import type { Duplex } from 'node:stream'
import { inspect, types } from 'node:util'
import { MachineError, OptionError } from '../errors.ts'

type Done = (error?: Error | null) => void

/** Most characters that are remembered of a line without Enter. */
const LONGEST_LINE = 200
/** Most lines with Enter that are remembered. */
const KEPT_LINES = 20

/** Input of one console. QEMU reads only as much as the device accepts; the rest stays in the socket. */
export class ConsoleInput {
  readonly #name: string
  #line = ''
  #lines: readonly string[] = []
  #stream: Duplex | undefined
  #unsent = 0
  #lost = false
  #gone: MachineError | undefined
  #waiting: PromiseWithResolvers<void>[] = []

  constructor(name: string) {
    this.#name = name
  }

  attach(stream: Duplex): void {
    this.#stream = stream
    hideFailedWrites(stream, (error) => this.#fail(error))
  }

  /** The last line sent without Enter, if it is plain text; otherwise empty. */
  get unfinished(): string {
    return /[\0-\x1f\x7f]/.test(this.#line) ? '' : this.#line
  }

  /** The last lines sent with Enter that have text, without their line ends. The oldest is first. */
  get lines(): readonly string[] {
    return this.#lines
  }

  /**
   * @throws OptionError `INVALID_OPTION` if `data` is neither a string nor bytes
   * @throws MachineError `MACHINE_EXITED`
   */
  write(data: string | Uint8Array): void {
    if (typeof data !== 'string' && !types.isUint8Array(data)) {
      throw new OptionError('INVALID_OPTION', `The data to send must be a string or bytes, but is ${inspect(data)}`)
    }
    if (this.#gone !== undefined) throw this.#refused(this.#gone)
    if (this.#stream?.writable !== true) throw this.#exited('its console is closed')
    if (data.length === 0) return
    this.#note(typeof data === 'string' ? data : Buffer.from(data.subarray(-LONGEST_LINE)).toString())
    this.#unsent++
    this.#stream.write(data, (error) => {
      this.#unsent--
      if (error) this.#fail(error)
      else if (this.#unsent === 0) for (const { resolve } of this.#waiting.splice(0)) resolve()
    })
  }

  /** Resolves when all data has been written to the socket. */
  async drained(): Promise<void> {
    if (this.#gone !== undefined && (this.#lost || this.#unsent > 0)) throw this.#gone
    if (this.#unsent === 0) return
    const waiting = Promise.withResolvers<void>()
    this.#waiting.push(waiting)
    await waiting.promise
  }

  /** Rejects further data with this error. */
  end(reason: MachineError): void {
    this.#gone ??= reason
    for (const { reject } of this.#waiting.splice(0)) reject(this.#gone)
  }

  #note(text: string): void {
    const lines = (this.#line + text).split(/[\r\n]/)
    this.#line = (lines.pop() ?? '').slice(-LONGEST_LINE)
    const sent = lines.filter((line) => line.trim() !== '').map((line) => line.slice(-LONGEST_LINE))
    if (sent.length > 0) this.#lines = [...this.#lines, ...sent].slice(-KEPT_LINES)
  }

  // A new error for each call, so that its stack has the caller's line.
  #refused(gone: MachineError): MachineError {
    const { shortMessage, sections } = gone
    const prefix = this.#exited('').shortMessage
    if (shortMessage.startsWith(prefix)) return gone
    return new MachineError('MACHINE_EXITED', prefix + shortMessage, { cause: gone, sections })
  }

  #fail(error: Error): void {
    this.#lost = true
    this.end(this.#exited(`its console accepts no more input (${error.message})`, error))
  }

  #exited(why: string, cause?: unknown): MachineError {
    return new MachineError(
      'MACHINE_EXITED',
      `Nothing can be sent to "${this.#name}": ${why}`,
      cause === undefined ? {} : { cause },
    )
  }
}

/**
 * Hides failed writes from the stream. Node destroys a socket when a write fails, which would lose the last output of a
 * machine that receives input while it shuts down.
 */
function hideFailedWrites(stream: Duplex, failed: (error: Error) => void): void {
  const settle =
    (done: Done): Done =>
    (error) => {
      if (error) failed(error)
      done()
    }
  const write = stream._write.bind(stream)
  stream._write = (chunk, encoding, done) => write(chunk, encoding, settle(done))
  const writev = stream._writev?.bind(stream)
  if (writev !== undefined) stream._writev = (chunks, done) => writev(chunks, settle(done))
}
