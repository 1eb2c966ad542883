/**
 * Stream over a socket whose other end QEMU has inherited, which ends without an error. The socket itself fails with
 * ECONNRESET when QEMU exits, and Node then drops unread data.
 */
import { Duplex } from 'node:stream'
import { MachineError } from '../../errors.ts'

/**
 * Stream of bytes in both directions. After the exit of QEMU, earlier data can still be read before the stream ends. If
 * the data is not read, the guest is blocked, and no data is lost. Writes after the exit fail with `MACHINE_EXITED`.
 */
export class InheritedStream extends Duplex {
  readonly #socket: Duplex
  readonly #what: string
  #machineExited = false
  #isOver = false

  /** @param what description for errors, such as `channel "results" of machine "vm"` */
  constructor(socket: Duplex, what: string, exited: Promise<void>) {
    super()
    this.#socket = socket
    this.#what = what
    socket.on('data', (chunk: Buffer) => {
      // After the end of the machine, at most the buffer of the socket is left, so it is read without flow control.
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
