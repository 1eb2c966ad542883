/**
 * One machine's end of the switch: reads what its network card sends, queues what it is to receive, and settles what
 * happens when it receives more slowly than others send.
 *
 * A card that is merely slow loses nothing: whoever sends to it is not read from until its queue is shorter, as on a
 * direct cable. A card whose machine reads nothing at all for {@link STALL_MS} (stopped in a debugger, hung) holds
 * nobody up any longer: what is sent to it is dropped until it reads again. Frames to everybody never hold their sender
 * up; they are dropped where the queue is full.
 */
import type { Duplex } from 'node:stream'
import { BrokenStreamError, FrameReader } from './frames/frame-reader.ts'
import { SendQueue } from './send-queue.ts'

/** From this length on a queue slows its senders down, bytes: some 700 full frames. */
export const FULL_BYTES = 1_048_576
/** No queue gets longer than this, bytes, however many send. */
export const LIMIT_BYTES: number = 16 * FULL_BYTES
/** How long a full queue may stand still before its senders go on without it, milliseconds. */
export const STALL_MS = 1_000

/** What a port tells its owner. */
export interface PortEvents {
  /** Whole frames, each behind its length, in order. */
  received(frames: Buffer): void
  /** The other end is gone, or spoke nonsense. Called once. */
  closed(): void
}

/** A port over one stream. */
export class SwitchPort {
  readonly #stream: Duplex
  readonly #queue: SendQueue
  readonly #events: PortEvents
  readonly #reader = new FrameReader()
  /** Ports that are not read from because of this one's full queue. */
  readonly #held = new Set<SwitchPort>()
  #holders = 0
  #stallTimer: NodeJS.Timeout | undefined
  #stalled = false
  #closed = false
  #leaving = false
  #droppedBytes = 0

  constructor(stream: Duplex, events: PortEvents) {
    this.#stream = stream
    this.#events = events
    this.#queue = new SendQueue(stream, () => this.#progress())
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    // A reset connection is how the exit of QEMU shows on an inherited socket.
    stream.on('error', () => this.close())
    stream.on('close', () => this.close())
  }

  /** What was not delivered because the queue was full or nobody read it, bytes. */
  get droppedBytes(): number {
    return this.#droppedBytes
  }

  /**
   * Queues frames, each behind its length.
   * @param sender held up while the queue is full; undefined: frames are dropped instead
   */
  send(frames: Buffer, sender: SwitchPort | undefined): void {
    if (this.#closed || this.#leaving) return
    const limit = sender ? LIMIT_BYTES : FULL_BYTES
    if (this.#stalled || this.#queue.bytes >= limit) {
      this.#droppedBytes += frames.length
      return
    }
    this.#queue.push(frames)
    if (sender && this.#queue.bytes >= FULL_BYTES) this.#hold(sender)
  }

  /** The machine ends: reads what it sent to the end of the stream, held up by nobody, and sends it nothing more. */
  leave(): void {
    if (this.#closed) return
    this.#leaving = true
    this.#queue.clear()
    this.#release()
    this.#stream.resume()
  }

  /** Cuts the connection. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue.clear()
    this.#release()
    this.#stream.destroy()
    this.#events.closed()
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk, (frames) => this.#events.received(frames))
    } catch (error) {
      if (!(error instanceof BrokenStreamError)) throw error
      process.emitWarning(`A network card was disconnected: ${error.message}`, 'ColdbootWarning')
      this.close()
    }
  }

  #hold(sender: SwitchPort): void {
    if (this.#held.has(sender)) return
    this.#held.add(sender)
    if (sender.#holders++ === 0 && !sender.#leaving) sender.#stream.pause()
    this.#stallTimer ??= this.#watch()
  }

  #watch(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#stalled = true
      this.#release()
    }, STALL_MS).unref()
  }

  #progress(): void {
    this.#stalled = false
    this.#stallTimer?.refresh()
    if (this.#held.size > 0 && this.#queue.bytes < FULL_BYTES / 2) this.#release()
  }

  #release(): void {
    clearTimeout(this.#stallTimer)
    this.#stallTimer = undefined
    for (const sender of this.#held) if (--sender.#holders === 0) sender.#stream.resume()
    this.#held.clear()
  }
}
