/** Messages between the workers of a run and its keeper: lines of JSON on a Unix socket. */
import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import type { ProcessExit } from '../../qemu/process.ts'
import type { QmpMessage } from '../../qemu/qmp.ts'
import type { PoolKey, PoolRecipe } from '../pool/machine-pool.ts'
import type { MachineRecipe } from './machine-recipe.ts'

/** The first message of a connection to the keeper. */
export type KeeperRequest =
  /**
   * Takes a machine. The answer is a {@link GivenMachine}, or an empty object. The machine ends with the connection.
   */
  | { readonly kind: 'take'; readonly key: PoolKey }
  /** Opens a stream: the raw data of an inherited descriptor of QEMU follows, in both directions. */
  | { readonly kind: 'stream'; readonly machine: number; readonly fd: number }
  | { readonly kind: 'refill'; readonly key: PoolKey; readonly recipe: PoolRecipe<MachineRecipe> }
  /** Ends all machines that were not taken. */
  | { readonly kind: 'end' }

/** A machine that a worker has taken, restored and stopped. */
export interface GivenMachine {
  /** Number of the machine, for stream requests. */
  readonly machine: number
  readonly pid: number
  /** Private directory of the machine. */
  readonly directory: string
  /** QMP messages so far, with times in milliseconds since 1970. */
  readonly messages: readonly QmpMessage[]
}

/** Message about the exit of QEMU, on the connection of a {@link GivenMachine}. */
export interface MachineEnd {
  readonly exit: ProcessExit
  /** The last output of QEMU on its standard streams. */
  readonly stderr: string
}

/** Message to the keeper that sends a signal to QEMU, on the connection of a {@link GivenMachine}. */
export interface MachineCommand {
  readonly terminate: 'SIGTERM' | 'SIGKILL'
}

export function sendMessage(
  socket: Socket,
  message: KeeperRequest | GivenMachine | MachineEnd | MachineCommand | Record<string, never>,
): void {
  socket.write(`${JSON.stringify(message)}\n`)
}

/**
 * Reads one message, and leaves later data unread. Closes a connection on which something else arrives.
 * @returns undefined if the connection ends before
 */
export function firstMessage(socket: Socket): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  let data = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    data = Buffer.concat([data, chunk])
    const end = data.indexOf('\n')
    if (end === -1) return
    socket.off('data', onData)
    socket.pause()
    const rest = data.subarray(end + 1)
    if (rest.length > 0) socket.unshift(rest)
    try {
      resolve(JSON.parse(data.toString('utf8', 0, end)))
    } catch {
      socket.destroy()
    }
  }
  socket.on('data', onData)
  socket.once('close', () => resolve(undefined))
  return promise
}

/** Calls a listener for each message from now on. Closes a connection with a message that cannot be handled. */
export function onMessage(socket: Socket, listener: (message: unknown) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    try {
      for (const line of lines) listener(JSON.parse(line))
    } catch {
      socket.destroy()
    }
  })
}
