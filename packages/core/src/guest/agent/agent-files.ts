/** Files in the guest by way of its agent. */
import { getSystemErrorMap } from 'node:util'
import { crc32 } from 'node:zlib'
import { type Limits, within } from '../waiting.ts'
import type { AgentConnection } from './agent-connection.ts'
import { type AgentFrame, DATA, DONE, END, encodeFrame, encodeTexts, FAIL, WRITE } from './agent-frames.ts'

/** The agent could not do it. */
export class AgentRefusal extends Error {
  /** Name of the error in the guest, as `ENOENT`. */
  readonly guestCode: string

  constructor(errno: number) {
    const [name = `errno ${errno}`, text = 'an unknown error'] = getSystemErrorMap().get(-errno) ?? []
    super(`${name}: ${text}`)
    this.guestCode = name
  }
}

/** The agent ended, and was started again. */
export class AgentRestarted extends Error {}

/** What was moved. */
export interface Moved {
  readonly size: number
  readonly crc: number
  /** Permission bits and type. */
  readonly mode: number
}

/**
 * Sends a file.
 * @throws AgentRefusal, AgentRestarted, Interrupted; Error when what was written is not what was sent
 */
export async function sendFile(
  connection: AgentConnection,
  path: string,
  bytes: Uint8Array,
  mode: number,
  limits: Limits,
): Promise<void> {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(mode, 0)
  const done = Promise.withResolvers<Moved>()
  using request = connection.request(
    (frame) => settle(frame, done),
    () => done.reject(new AgentRestarted()),
  )
  connection.send(encodeFrame(WRITE, request.id, Buffer.concat([head, encodeTexts([path])])))
  const sent = connection.sendAll(DATA, request.id, bytes)
  // What it refuses, it refuses at the start.
  await within(Promise.race([sent, done.promise]), limits)
  connection.send(encodeFrame(END, request.id))
  const { size, crc } = await within(done.promise, limits)
  if (size !== bytes.length || crc !== crc32(bytes)) throw new Error(`${path} did not arrive whole`)
}

/** A request that is answered with DONE. @throws AgentRefusal, AgentRestarted, Interrupted */
export async function ask(
  connection: AgentConnection,
  type: number,
  payload: Uint8Array,
  limits: Limits,
): Promise<void> {
  const done = Promise.withResolvers<Moved>()
  using request = connection.request(
    (frame) => settle(frame, done),
    () => done.reject(new AgentRestarted()),
  )
  connection.send(encodeFrame(type, request.id, payload))
  await within(done.promise, limits)
}

function settle({ type, payload }: AgentFrame, done: PromiseWithResolvers<Moved>): void {
  if (type === FAIL) {
    done.reject(new AgentRefusal(payload.readUInt32LE(0)))
  } else if (type === DONE && payload.length === 0) {
    done.resolve({ size: 0, crc: 0, mode: 0 })
  } else if (type === DONE) {
    const size = Number(payload.readBigUInt64LE(0))
    done.resolve({ size, crc: payload.readUInt32LE(8), mode: payload.readUInt32LE(12) })
  }
}
