/** File requests to the agent. */
import { getSystemErrorMap } from 'node:util'
import { crc32 } from 'node:zlib'
import { Interrupted, type Limits, within } from '../waiting.ts'
import type { AgentConnection } from './agent-connection.ts'
import {
  type AgentFrame,
  DATA,
  DONE,
  END,
  encodeFrame,
  encodeTexts,
  FAIL,
  FILE_DATA,
  READ,
  WRITE,
} from './agent-frames.ts'

/** The agent refused a request. */
export class AgentRefusal extends Error {
  /** Name of the error in the guest, such as `ENOENT`. */
  readonly guestCode: string

  constructor(errno: number) {
    const [name = `errno ${errno}`, text = 'an unknown error'] = getSystemErrorMap().get(-errno) ?? []
    super(`${name}: ${text}`)
    this.guestCode = name
  }
}

/** The agent was restarted and has lost the request. */
export class AgentRestarted extends Error {}

/** The received data differs from the data sent. */
export class NotWhole extends Error {
  constructor() {
    super('the data was damaged on the way')
  }
}

/** A completed transfer. */
export interface Moved {
  readonly size: number
  readonly crc: number
  /** Permission bits and file type, as in `st_mode`. */
  readonly mode: number
}

/** Special mode: keeps the mode of an existing file, or uses the default of the agent for a new one. */
const KEEP_MODE = 0xffff_ffff

/**
 * Sends a file.
 *
 * @param mode permission bits, also for an existing file; undefined to keep its mode
 * @throws AgentRefusal, AgentRestarted, Interrupted, NotWhole
 */
export async function sendFile(
  connection: AgentConnection,
  path: string,
  bytes: Uint8Array,
  mode: number | undefined,
  limits: Limits,
): Promise<void> {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(mode ?? KEEP_MODE, 0)
  const done = Promise.withResolvers<Moved>()
  using request = connection.request(
    (frame) => settle(frame, done),
    () => done.reject(new AgentRestarted()),
  )
  const stop = new AbortController()
  try {
    connection.send(encodeFrame(WRITE, request.id, Buffer.concat([head, encodeTexts([path])])))
    const sent = connection.sendAll(DATA, request.id, bytes, stop.signal)
    // A refusal arrives before all data is sent.
    await within(Promise.race([sent, done.promise]), limits)
  } finally {
    stop.abort()
    // Sent after an abort too, because the agent supports only a few open files.
    connection.send(encodeFrame(END, request.id))
  }
  const { size, crc } = await within(done.promise, limits)
  if (size !== bytes.length || crc !== crc32(bytes)) throw new NotWhole()
}

/**
 * Fetches a file.
 * @throws AgentRefusal, AgentRestarted, Interrupted, NotWhole
 */
export async function fetchFile(connection: AgentConnection, path: string, limits: Limits): Promise<Buffer> {
  const done = Promise.withResolvers<Moved>()
  const pieces: Buffer[] = []
  using request = connection.request(
    (frame) => {
      if (frame.type === FILE_DATA) pieces.push(frame.payload)
      else settle(frame, done)
    },
    () => done.reject(new AgentRestarted()),
  )
  connection.send(encodeFrame(READ, request.id, encodeTexts([path])))
  try {
    const { size, crc } = await within(done.promise, limits)
    const bytes = Buffer.concat(pieces)
    if (size !== bytes.length || crc !== crc32(bytes)) throw new NotWhole()
    return bytes
  } catch (error) {
    if (error instanceof Interrupted) connection.send(encodeFrame(END, request.id))
    throw error
  }
}

/** Sends a request and waits for its `DONE` frame. @throws AgentRefusal, AgentRestarted, Interrupted */
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
