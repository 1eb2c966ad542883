/** Messages between the workers of a run and the keeper of its machines: lines of JSON on a Unix socket. */
import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import type { ProcessExit } from '../../qemu/process.ts'
import type { QmpMessage } from '../../qemu/qmp.ts'
import type { PoolKey, PoolRecipe } from '../pool/machine-pool.ts'
import type { MachineRecipe } from './machine-recipe.ts'

/** The first message of a connection to the keeper. */
export type KeeperRequest =
  /** Answered by {@link GivenMachine}, or an empty object. The machine ends with the connection. */
  | { readonly kind: 'take'; readonly key: PoolKey }
  /** Raw data of an inherited descriptor of QEMU follows, in both directions. */
  | { readonly kind: 'stream'; readonly machine: number; readonly fd: number }
  | { readonly kind: 'refill'; readonly key: PoolKey; readonly recipe: PoolRecipe<MachineRecipe> }
  /** Ends all machines that were not taken. */
  | { readonly kind: 'end' }

/** A machine that the keeper has given away: restored and stopped. */
export interface GivenMachine {
  /** Its number, for streams. */
  readonly machine: number
  readonly pid: number
  /** The private directory. */
  readonly directory: string
  /** QMP messages so far, with times in milliseconds since 1970. */
  readonly messages: readonly QmpMessage[]
}

/** A later message of the keeper on the connection of a {@link GivenMachine}. */
export interface MachineEnd {
  readonly exit: ProcessExit
  /** The last output of QEMU on its standard streams. */
  readonly stderr: string
}

/** A message to the keeper on the connection of a {@link GivenMachine}. */
export interface MachineCommand {
  readonly terminate: 'SIGTERM' | 'SIGKILL'
}

export function sendMessage(
  socket: Socket,
  message: KeeperRequest | GivenMachine | MachineEnd | MachineCommand | Record<string, never>,
): void {
  socket.write(`${JSON.stringify(message)}\n`)
}

/** Reads one message, and leaves the rest unread. @returns undefined if the connection ends before */
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
    resolve(JSON.parse(data.toString('utf8', 0, end)))
  }
  socket.on('data', onData)
  socket.once('close', () => resolve(undefined))
  return promise
}

/** Calls a listener for each message from now on. */
export function onMessage(socket: Socket, listener: (message: unknown) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) listener(JSON.parse(line))
  })
}
