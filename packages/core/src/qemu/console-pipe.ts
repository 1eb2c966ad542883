/**
 * The console of QEMU as two named pipes. Most guests print byte by byte. Each byte counts as several hundred in the buffer of
 * a socket, which is full after 280 bytes that this process has not read. A pipe takes 65,536. When the buffer is full, kernels
 * wait 10 ms for each byte, UEFI firmware less than 1 ms, and then drop it.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { isMainThread } from 'node:worker_threads'
import { createPipes } from './pipe-stock.ts'

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants

/** The ends of both pipes in this process, as one stream. */
export class ConsolePipe extends Duplex {
  /** Path without the suffixes `.in` and `.out`, as `-chardev pipe` expects it. */
  readonly path: string
  readonly #output: Socket
  readonly #input: Socket
  /** Whether QEMU has opened the pipes. */
  #isOpen = false

  private constructor(path: string) {
    // Ends its input after the end of the output.
    super({ allowHalfOpen: false })
    this.path = path
    const [output, input] = openEnds(path)
    this.#output = new Socket({ fd: output, readable: true, writable: false })
    this.#input = new Socket({ fd: input, readable: false, writable: true })
    this.#output.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#output.pause()
    })
    this.#output.once('end', () => this.push(null))
    for (const socket of [this.#output, this.#input]) socket.on('error', (error) => this.destroy(error))
  }

  /** Path of the pipes in the private directory of a machine. @returns undefined if this system needs a socket instead */
  static pathIn(directory: string): string | undefined {
    return process.platform === 'linux' ? join(directory, 'console') : undefined
  }

  /**
   * Creates the pipes in the private directory of a machine.
   * @returns undefined if this system cannot, and in worker threads, which need a socket instead
   */
  static async create(directory: string): Promise<ConsolePipe | undefined> {
    const path = ConsolePipe.pathIn(directory)
    // A worker thread closes all descriptors that it has opened, although the sockets have closed them already.
    if (path === undefined || !isMainThread) return undefined
    return (await createPipes(path)) ? new ConsolePipe(path) : undefined
  }

  /** Removes the names, because the files of the directory are copied when the machine is saved. Called when QEMU runs. */
  async unlink(): Promise<void> {
    this.#isOpen = true
    await Promise.all(['.in', '.out'].map((suffix) => rm(this.path + suffix, { force: true })))
  }

  /** Ends the stream after its last byte. Called when QEMU has exited. */
  finish(): void {
    if (this.#isOpen) return
    try {
      // A pipe that QEMU has never opened has no end until another writer closes it.
      closeSync(openSync(`${this.path}.out`, O_WRONLY | O_NONBLOCK))
    } catch {
      this.destroy()
    }
  }

  /** Sets whether the pipes keep this process running. @default true */
  hold(held: boolean): void {
    for (const socket of [this.#output, this.#input]) {
      if (held) socket.ref()
      else socket.unref()
    }
  }

  override _read(): void {
    this.#output.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#input.write(chunk, done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#output.destroy()
    this.#input.destroy()
    done(error)
  }
}

/** Opens the ends of this process: of the output and of the input. Leaves none open if it throws. */
function openEnds(path: string): readonly [number, number] {
  const output = openSync(`${path}.out`, O_RDONLY | O_NONBLOCK)
  try {
    // Opening only for writing would fail before QEMU has opened the pipe.
    return [output, openSync(`${path}.in`, O_RDWR | O_NONBLOCK)]
  } catch (error) {
    closeSync(output)
    throw error
  }
}
