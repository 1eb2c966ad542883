/**
 * The line to the agent in a guest: requests of many at once over one virtio-serial port.
 *
 * In a machine started from a template the agent has long begun, and may be in the middle of a frame that was for another.
 * So the line begins with a question that only this process can have asked, and all that comes before its answer is
 * thrown away.
 */
import { randomBytes, randomInt } from 'node:crypto'
import type { Duplex } from 'node:stream'
import {
  AGENT_VERSION,
  type AgentFrame,
  encodeFrame,
  FrameReader,
  HELLO,
  LONGEST_PAYLOAD,
  PING,
} from './agent-frames.ts'

/** What one request hears. */
export type FrameListener = (frame: AgentFrame) => void

const NONCE_BYTES = 16
const VERSION_BYTES = 4

/** The agent speaks another version of the frames. */
export class OtherVersion extends Error {
  constructor(version: number) {
    super(`the agent in the guest has version ${version}, but version ${AGENT_VERSION} is needed`)
  }
}

/** The line of one machine. */
export class AgentConnection {
  readonly #open: () => Duplex
  readonly #requests = new Map<number, FrameListener>()
  readonly #onRestart = new Set<() => void>()
  // An agent that was saved in the middle of commands goes on with them: ids must not be theirs.
  #lastId = randomInt(2 ** 31)
  #stream: Duplex | undefined
  #ready: Promise<void> | undefined

  /** @param open gives the port, once the machine runs */
  constructor(open: () => Duplex) {
    this.#open = open
  }

  /** Resolves when the agent answers. The same promise each time. @throws OtherVersion */
  ready(): Promise<void> {
    this.#ready ??= this.#connect()
    return this.#ready
  }

  /** A new request: its id, until it is disposed. `onRestart` is called if the agent starts again, and forgets it. */
  request(listener: FrameListener, onRestart: () => void): { readonly id: number } & Disposable {
    const id = this.#nextId()
    this.#requests.set(id, listener)
    this.#onRestart.add(onRestart)
    return {
      id,
      [Symbol.dispose]: () => {
        this.#requests.delete(id)
        this.#onRestart.delete(onRestart)
      },
    }
  }

  /** Sends frames in one go. */
  send(...frames: readonly Buffer[]): void {
    this.#stream?.write(frames.length === 1 ? (frames[0] ?? '') : Buffer.concat(frames))
  }

  /** Sends bytes as frames of one type, at the pace of the guest. Ends early when the machine does, or it is stopped. */
  async sendAll(type: number, id: number, bytes: Uint8Array, stop?: AbortSignal): Promise<void> {
    for (let at = 0; at < bytes.length && stop?.aborted !== true; at += LONGEST_PAYLOAD) {
      const frame = encodeFrame(type, id, bytes.subarray(at, at + LONGEST_PAYLOAD))
      // Called also when the write fails, as it does when the machine has ended.
      await new Promise<void>((resolve) => (this.#stream ? this.#stream.write(frame, () => resolve()) : resolve()))
    }
  }

  #nextId(): number {
    this.#lastId = (this.#lastId + 1) % 2 ** 31
    return this.#lastId
  }

  #connect(): Promise<void> {
    const stream = this.#open()
    this.#stream = stream
    const reader = new FrameReader()
    const nonce = randomBytes(NONCE_BYTES)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let unread: Buffer | undefined = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      let bytes = chunk
      if (unread !== undefined) {
        const all = Buffer.concat([unread, chunk])
        const at = all.indexOf(nonce)
        const end = at + NONCE_BYTES + VERSION_BYTES
        unread = at < 0 ? all.subarray(-NONCE_BYTES) : all.subarray(at)
        if (at < 0 || all.length < end) return
        unread = undefined
        const version = all.readUInt32LE(at + NONCE_BYTES)
        if (version === AGENT_VERSION) resolve()
        else reject(new OtherVersion(version))
        bytes = all.subarray(end)
      }
      for (const frame of reader.push(bytes)) this.#take(frame)
    })
    // The machine has ended: whoever waits learns it elsewhere.
    stream.on('error', () => {})
    stream.write(encodeFrame(PING, 0, nonce))
    return promise
  }

  #take(frame: AgentFrame): void {
    if (frame.type === HELLO) for (const restarted of [...this.#onRestart]) restarted()
    else this.#requests.get(frame.id)?.(frame)
  }
}
