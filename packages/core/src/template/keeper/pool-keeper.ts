/**
 * Keeper of the pooled machines of a run. It is a separate process, because the workers of most runs end with their
 * test file. Node cannot pass descriptors to a process that it did not start, so a worker uses a machine through the
 * keeper: with a socket for each descriptor of QEMU, and a control socket whose end also ends the machine.
 */
import { rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import { timeOrigin } from '../../host/clock.ts'
import { MachinePool } from '../pool/machine-pool.ts'
import { firstMessage, type KeeperRequest, type MachineCommand, onMessage, sendMessage } from './keeper-messages.ts'
import { type KeptMachine, keptMachines } from './kept-machine.ts'
import type { MachineRecipe } from './machine-recipe.ts'

/** Most buffered data for a worker, bytes. Beyond it, the stream of QEMU is not read, so that the guest waits. */
const MOST_WAITING = 2 ** 24
/** Longest wait for the end of QEMU's streams after its exit, milliseconds. */
const LAST_DATA_MS = 1_000

/** A machine that a worker has taken. */
interface Given {
  readonly machine: KeptMachine
  /** One promise for each stream, which resolves when all data was sent to the worker. */
  readonly streams: Promise<void>[]
  /** Resolves when the machine has ended and its files are removed. */
  ended: Promise<void>
}

/** Serves the workers of one run. */
export class PoolKeeper {
  readonly #pool = new MachinePool<MachineRecipe, KeptMachine>(keptMachines, Math.max(2, availableParallelism()))
  readonly #given = new Map<number, Given>()
  readonly #server: Server
  readonly #ending = Promise.withResolvers<void>()
  #last = 0

  private constructor(server: Server) {
    this.#server = server
    // An error of one connection must not end the machines of the others.
    server.on('connection', (socket: Socket) => void this.#serve(socket).catch(() => socket.destroy()))
  }

  /** Starts a keeper. @param path path of the socket to listen on */
  static async listen(path: string): Promise<PoolKeeper> {
    const server = createServer()
    // A killed keeper leaves its socket.
    await rm(path, { force: true })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    return new PoolKeeper(server)
  }

  /** Ends all machines, including those in use. */
  async end(): Promise<void> {
    this.#server.close()
    this.#ending.resolve()
    for (const { machine } of this.#given.values()) machine.process.terminate('SIGKILL')
    await Promise.all([this.#pool.end(), ...[...this.#given.values()].map(({ ended }) => ended)])
  }

  async #serve(socket: Socket): Promise<void> {
    // A worker may be killed at any time.
    socket.on('error', () => {})
    const request = (await firstMessage(socket)) as KeeperRequest | undefined
    if (request === undefined) return
    if (request.kind === 'take') return this.#give(socket, await this.#pool.take(request.key))
    if (request.kind === 'stream') return this.#join(socket, request.machine, request.fd)
    if (request.kind === 'refill') this.#pool.refill(request.key, request.recipe)
    else await this.#pool.end()
    socket.end()
  }

  async #give(socket: Socket, machine: KeptMachine | undefined): Promise<void> {
    if (machine === undefined) {
      sendMessage(socket, {})
      socket.end()
      return
    }
    if (socket.destroyed) return keptMachines.discard(machine)
    const number = ++this.#last
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    const given: Given = { machine, streams: [], ended: Promise.resolve() }
    given.ended = this.#end(socket, given, closed)
      // Errors are ignored, because the next start of a machine removes remaining files.
      .catch(() => {})
      .finally(() => this.#given.delete(number))
    this.#given.set(number, given)
    const { process, directory, qmp } = machine
    const messages = qmp.release().map((message) => ({ ...message, at: message.at + timeOrigin }))
    sendMessage(socket, { machine: number, pid: process.pid, directory: directory.path, messages })
    onMessage(socket, (message) => process.terminate((message as MachineCommand).terminate))
    socket.resume()
  }

  /** Ends a machine when the connection of its worker ends. Sends the exit status of QEMU to the worker. */
  async #end(socket: Socket, { machine, streams }: Given, closed: Promise<void>): Promise<void> {
    const { process, directory, registration } = machine
    void closed.then(() => process.terminate('SIGKILL'))
    const exit = await process.exited
    const late = AbortSignal.timeout(LAST_DATA_MS)
    await Promise.race([Promise.all(streams), new Promise((resolve) => late.addEventListener('abort', resolve))])
    if (!socket.destroyed) sendMessage(socket, { exit, stderr: process.stderr() })
    // Waits for the worker, because it may still read files of a machine that has ended.
    await Promise.race([closed, this.#ending.promise])
    socket.end()
    await directory.remove()
    registration[Symbol.dispose]()
  }

  #join(socket: Socket, number: number, fd: number): void {
    const given = this.#given.get(number)
    if (given) given.streams.push(pump(given.machine.stream(fd), socket))
    else socket.destroy()
  }
}

/** Connects a stream of QEMU with a worker. Resolves when all its data was sent. */
async function pump(qemu: Duplex, worker: Socket): Promise<void> {
  const ended = finished(qemu, { writable: false }).catch(() => {})
  qemu.on('data', (chunk: Buffer) => {
    worker.write(chunk)
    if (worker.writableLength <= MOST_WAITING) return
    qemu.pause()
    worker.once('drain', () => qemu.resume())
  })
  qemu.resume()
  worker.pipe(qemu)
  await ended
  await new Promise<void>((resolve) => {
    worker.once('close', () => resolve())
    worker.end(() => resolve())
  })
}
