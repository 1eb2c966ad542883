/** What is typed on the console: bytes on their way into the machine. */
import type { Duplex } from 'node:stream'
import { MachineError } from '../errors.ts'

/** The typing side of one console. QEMU takes as much as the device can, so what is written waits in the socket. */
export class ConsoleInput {
  readonly #name: string
  #stream: Duplex | undefined
  #unsent = 0
  #gone: MachineError | undefined
  #waiting: PromiseWithResolvers<void>[] = []

  constructor(name: string) {
    this.#name = name
  }

  attach(stream: Duplex): void {
    this.#stream = stream
    keepReadingAfterFailedWrite(stream)
  }

  /** @throws MachineError `MACHINE_EXITED` */
  write(data: string | Uint8Array): void {
    if (this.#gone !== undefined) throw this.#gone
    if (this.#stream?.writable !== true) throw this.#exited('its console is closed')
    if (data.length === 0) return
    this.#unsent++
    this.#stream.write(data, (error) => {
      this.#unsent--
      if (error) this.end(this.#exited(`its console took no more input (${error.message})`, error))
      else if (this.#unsent === 0) for (const { resolve } of this.#waiting.splice(0)) resolve()
    })
  }

  /** Resolves when everything written is out. */
  async drained(): Promise<void> {
    if (this.#gone !== undefined && this.#unsent > 0) throw this.#gone
    if (this.#unsent === 0) return
    const waiting = Promise.withResolvers<void>()
    this.#waiting.push(waiting)
    await waiting.promise
  }

  /** Nothing more will be taken. */
  end(reason: MachineError): void {
    this.#gone ??= reason
    for (const { reject } of this.#waiting.splice(0)) reject(this.#gone)
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
 * Node destroys a socket when a write to it fails, and with it what is still to be read: the last words of a machine that
 * was typed at while it went down. Reading goes on to the end instead.
 */
function keepReadingAfterFailedWrite(stream: Duplex): void {
  const destroy = stream.destroy.bind(stream)
  stream.destroy = (error?: Error) => {
    const writeFailed = error !== undefined && 'syscall' in error && error.syscall === 'write'
    return writeFailed && !stream.readableEnded ? stream : destroy(error)
  }
}
