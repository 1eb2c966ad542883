/**
 * Our end of a descriptor that QEMU inherited, as a stream with an end. The socket itself ends with ECONNRESET when QEMU
 * exits, and an error makes Node drop what was received and not yet read.
 */
import { Duplex } from 'node:stream'
import { MachineError } from '../../errors.ts'

/**
 * Bytes both ways. What QEMU sent before its exit can still be read after it; then the stream ends. Nobody reading slows
 * the guest down and loses nothing. Writes after the exit fail with `MACHINE_EXITED`.
 */
export class InheritedStream extends Duplex {
  readonly #socket: Duplex
  readonly #what: string
  #machineExited = false
  #isOver = false

  /** @param what what it is, for errors: "channel results of machine "vm"" */
  constructor(socket: Duplex, what: string, exited: Promise<void>) {
    super()
    this.#socket = socket
    this.#what = what
    socket.on('data', (chunk: Buffer) => {
      // Once the machine is gone, what is left is at most a socket's buffer, and the socket is to be closed.
      if (!this.push(chunk) && !this.#machineExited) socket.pause()
    })
    for (const event of ['end', 'error', 'close']) socket.on(event, () => this.#finish())
    void exited.then(() => {
      this.#machineExited = true
      socket.resume()
    })
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (this.#isOver) return done(this.#gone())
    this.#socket.write(chunk, (error) => done(error ? this.#gone(error) : undefined))
  }

  override _final(done: () => void): void {
    if (this.#isOver) done()
    else this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.push(null)
  }

  #gone(cause?: Error): MachineError {
    return new MachineError('MACHINE_EXITED', `Nothing can be sent to ${this.#what} any more`, { cause })
  }
}
