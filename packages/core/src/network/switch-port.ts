/**
 * Port of the switch for one machine: reads frames that its card sends, queues frames for the card, and applies flow
 * control.
 *
 * A slow card loses no frames: while its queue is full, the ports that send to it are not read. If a machine reads
 * nothing for {@link STALL_MS}, for example because it is stopped in a debugger, it no longer blocks its senders, and
 * frames for it are dropped until it reads again. Broadcast frames never block their sender. They are dropped if the
 * queue is full.
 */
import type { Duplex } from 'node:stream'
import { startTimer, stopTimer } from '../host/clock.ts'
import { BrokenStreamError, FrameReader } from './frames/frame-reader.ts'
import { SendQueue } from './send-queue.ts'

/** Length of a queue above which its senders are blocked, bytes: about 700 full frames. */
export const FULL_BYTES = 1_048_576
/** Longest queue, bytes, for any number of senders. */
export const LIMIT_BYTES: number = 16 * FULL_BYTES
/** Time without progress after which a full queue no longer blocks its senders, milliseconds. */
export const STALL_MS = 1_000

/** Events of a port. */
export interface PortEvents {
  /** Receives complete frames in order, each with a length prefix. */
  received(frames: Buffer): void
  /** Called once, when the other end has closed or sent invalid data. */
  closed(): void
}

/** A port over one stream. */
export class SwitchPort {
  readonly #stream: Duplex
  readonly #queue: SendQueue
  readonly #events: PortEvents
  readonly #reader = new FrameReader()
  /** Ports that are not read from because the queue of this one is full. */
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
    // The exit of QEMU appears as a connection reset on an inherited socket.
    stream.on('error', () => this.close())
    stream.on('close', () => this.close())
  }

  /** Bytes that were dropped because the queue was full or the machine did not read. */
  get droppedBytes(): number {
    return this.#droppedBytes
  }

  /**
   * Queues frames, each with a length prefix.
   * @param sender blocked while the queue is full; if undefined, frames are dropped instead
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

  /** Disconnects an ending machine: reads its stream to the end, without flow control, and sends nothing more. */
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
    return startTimer(() => {
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
    stopTimer(this.#stallTimer)
    this.#stallTimer = undefined
    for (const sender of this.#held) if (--sender.#holders === 0) sender.#stream.resume()
    this.#held.clear()
  }
}
