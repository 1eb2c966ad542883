/**
 * Connection to the agent in a guest: concurrent requests over one virtio-serial port.
 *
 * In a restored machine, the agent may be in the middle of a frame for the process that saved it. Therefore the
 * connection starts with a ping that has a random token, and drops all data before the answer to it.
 */
import type { Duplex } from 'node:stream'
import { startTimer, stopTimer } from '../../host/clock.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import {
  AGENT_VERSION,
  type AgentFrame,
  encodeFrame,
  FrameReader,
  FrameTooLong,
  HELLO,
  LONGEST_PAYLOAD,
  PING,
  PONG,
} from './agent-frames.ts'

/** Receives the frames of one request. */
export type FrameListener = (frame: AgentFrame) => void

const NONCE_BYTES = 16
const VERSION_BYTES = 4
/** Time for the answer of an agent that has just started, milliseconds. */
const SILENT_MS = 1_000

/** The agent in the guest uses another version of the protocol. */
export class OtherVersion extends Error {
  constructor(version: number) {
    super(`the agent in the guest has version ${version}, but version ${AGENT_VERSION} is needed`)
  }
}

/** A random token for a ping. */
function newNonce(): Buffer {
  return nodeCrypto().randomBytes(NONCE_BYTES)
}

/** The connection of one machine. */
export class AgentConnection {
  readonly #open: () => Duplex
  readonly #requests = new Map<number, FrameListener>()
  readonly #onRestart = new Set<() => void>()
  // Starts at a random number, because a restored agent may still answer requests of another process.
  #lastId = nodeCrypto().randomInt(2 ** 31)
  #stream: Duplex | undefined
  #ready: Promise<void> | undefined
  /** Whether the agent has answered the ping. */
  #isOpen = false
  /** The wait for the agent after a reset: the token that its answer contains. Undefined if there is no such wait. */
  #awaited: { readonly nonce: Buffer; resolve(): void } | undefined
  #silence: NodeJS.Timeout | undefined

  /** @param open returns the port when the machine runs */
  constructor(open: () => Duplex) {
    this.#open = open
  }

  /** Resolves when the agent answers. Returns the same promise each time. @throws OtherVersion */
  ready(): Promise<void> {
    this.#ready ??= this.#connect()
    return this.#ready
  }

  /** Waits for the next start of the agent, after a reset of the guest. All requests are lost. */
  restarted(): void {
    // The first ping is still pending, and the next agent answers it.
    if (!this.#isOpen) return
    if (this.#awaited === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#ready = promise
      this.#awaited = { nonce: newNonce(), resolve }
    }
    this.#loseRequests()
  }

  /** Starts a request. The caller disposes it at its end. `onRestart` is called if the agent restarts and loses it. */
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

  /** Sends frames in one write. */
  send(...frames: readonly Buffer[]): void {
    this.#stream?.write(frames.length === 1 ? (frames[0] ?? '') : Buffer.concat(frames))
  }

  /** Sends bytes as frames of one type, with flow control. Returns early when the machine ends or `stop` aborts. */
  async sendAll(type: number, id: number, bytes: Uint8Array, stop?: AbortSignal): Promise<void> {
    for (let at = 0; at < bytes.length && stop?.aborted !== true; at += LONGEST_PAYLOAD) {
      const frame = encodeFrame(type, id, bytes.subarray(at, at + LONGEST_PAYLOAD))
      // The callback is also called if the write fails because the machine has ended.
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
    const nonce = newNonce()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let unread: Buffer | undefined = Buffer.alloc(0)
    let isGarbled = false
    stream.on('data', (chunk: Buffer) => {
      // After invalid data, the start of the next frame is unknown.
      if (isGarbled) return
      let bytes = chunk
      if (unread !== undefined) {
        const all = Buffer.concat([unread, chunk])
        const at = all.indexOf(nonce)
        const end = at + NONCE_BYTES + VERSION_BYTES
        unread = at < 0 ? all.subarray(-NONCE_BYTES) : all.subarray(at)
        if (at < 0 || all.length < end) return
        unread = undefined
        this.#isOpen = true
        const version = all.readUInt32LE(at + NONCE_BYTES)
        if (version === AGENT_VERSION) resolve()
        else reject(new OtherVersion(version))
        bytes = all.subarray(end)
      }
      try {
        for (const frame of reader.push(bytes)) this.#take(frame)
      } catch (error) {
        if (!(error instanceof FrameTooLong)) throw error
        isGarbled = true
        this.#loseRequests()
      }
    })
    // The end of the machine is reported elsewhere.
    stream.on('error', () => {})
    stream.write(encodeFrame(PING, 0, nonce))
    return promise
  }

  #take(frame: AgentFrame): void {
    if (frame.type === HELLO) {
      this.#loseRequests()
      // The rest of an earlier request may make this agent restart once more, so only its answer counts.
      if (this.#awaited) this.#ping(this.#awaited.nonce)
    } else if (frame.type === PONG) {
      if (!this.#awaited || frame.payload.indexOf(this.#awaited.nonce) !== 0) return
      stopTimer(this.#silence)
      this.#awaited.resolve()
      this.#awaited = undefined
    } else {
      this.#requests.get(frame.id)?.(frame)
    }
  }

  /** Asks the agent after a reset, until it answers. */
  #ping(nonce: Buffer): void {
    this.send(encodeFrame(PING, 0, nonce))
    stopTimer(this.#silence)
    // The agent may take the rest of an earlier request for the start of a long frame. Zeros end that frame, and are ignored.
    this.#silence = startTimer(() => {
      if (this.#awaited?.nonce !== nonce || this.#stream?.writable !== true) return
      this.send(Buffer.alloc(LONGEST_PAYLOAD))
      this.#ping(nonce)
    }, SILENT_MS).unref()
  }

  #loseRequests(): void {
    for (const restarted of [...this.#onRestart]) restarted()
  }
}
