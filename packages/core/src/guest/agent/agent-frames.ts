/** Encodes and decodes frames of the agent protocol. Their meaning is in agent.c of `@coldboot/guest`. */

/** Types of frames to the guest. */
export const PING = 1
export const INPUT = 2
export const EXEC = 3
export const KILL = 4
export const READ = 5
export const WRITE = 6
export const DATA = 7
export const END = 8
export const CLOCK = 9
export const RESEED = 10

/** Types of frames from the guest. */
export const HELLO = 128
/** The first one is found by its nonce, before frames are read. */
export const PONG = 129
export const OUT = 130
export const ERR = 131
/** The end of a command. */
export const EXIT = 132
export const FAIL = 133
export const FILE_DATA = 134
export const DONE = 135

/** Version of the protocol. */
export const AGENT_VERSION = 1

/** Stage of a failure in the payload of `FAIL`. */
export const AT_DIRECTORY = 1

/** Longest payload to the guest, bytes. The agent accepts up to 1 MiB. */
export const LONGEST_PAYLOAD: number = 512 * 1024

/** Longest accepted payload from the guest, bytes. The agent sends at most 32 KiB, so longer ones are invalid data. */
export const LONGEST_RECEIVED: number = 1024 * 1024

/** Size of the header before a payload, bytes. */
export const HEADER = 9

/** A message from the guest. */
export interface AgentFrame {
  readonly type: number
  readonly id: number
  readonly payload: Buffer
}

/** Encodes a frame. */
export function encodeFrame(type: number, id: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt8(type, 4)
  frame.writeUInt32LE(id, 5)
  frame.set(payload, HEADER)
  return frame
}

/** Encodes texts, each with a NUL after it. */
export function encodeTexts(texts: readonly string[]): Buffer {
  return Buffer.from(texts.map((text) => `${text}\0`).join(''))
}

/** A frame exceeds {@link LONGEST_RECEIVED}. */
export class FrameTooLong extends Error {}

/** Decodes frames from chunks of any size. */
export class FrameReader {
  #pieces: Buffer[] = []
  #length = 0

  /** Adds bytes and returns the complete frames. @throws FrameTooLong */
  push(bytes: Buffer): AgentFrame[] {
    const frames: AgentFrame[] = []
    this.#pieces.push(bytes)
    this.#length += bytes.length
    // The chunks of a frame are joined only when it is complete, because a large frame arrives in many chunks.
    for (let needed = this.#needed(); this.#length >= needed; needed = this.#needed()) {
      const all = this.#pieces.length === 1 ? (this.#pieces[0] ?? bytes) : Buffer.concat(this.#pieces)
      frames.push({ type: all.readUInt8(4), id: all.readUInt32LE(5), payload: all.subarray(HEADER, needed) })
      const rest = all.subarray(needed)
      this.#pieces = rest.length === 0 ? [] : [rest]
      this.#length = rest.length
    }
    return frames
  }

  #needed(): number {
    if (this.#length < HEADER) return HEADER
    let [first = Buffer.alloc(0)] = this.#pieces
    if (first.length < HEADER) {
      first = Buffer.concat(this.#pieces)
      this.#pieces = [first]
    }
    const length = first.readUInt32LE(0)
    if (length > LONGEST_RECEIVED) throw new FrameTooLong()
    return HEADER + length
  }
}
