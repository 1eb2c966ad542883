/** Capture of the frames of a network to a pcapng file. */
import { createWriteStream, mkdirSync, openSync, type WriteStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { messageOf, OptionError } from '../errors.ts'
import { afterReading } from '../host/clock.ts'
import type { FrameDirection } from './frames/frame.ts'
import { MAX_FRAME_BYTES } from './frames/frame-reader.ts'
import type { Card, Link } from './link.ts'
import { interfaceDescription, interfaceStatistics, packetBytes, sectionHeader, writePacket } from './pcapng.ts'

/** Size of the buffer before a write, bytes. A smaller amount is written at the end of the turn of the event loop. */
const GATHERED_BYTES = 262_144
/** Most bytes in the queue of a slow disk. Further frames are counted and dropped. */
const WAITING_BYTES = 67_108_864

/** Options of a capture. */
export interface CaptureOptions {
  /** Selects the cards. @default all cards of the network */
  readonly concerns?: ((card: Card) => boolean) | undefined
  /** Most bytes of packets in the file. Further ones are counted and dropped. @default no limit */
  readonly maxBytes?: number | undefined
}

interface InterfaceCount {
  readonly id: number
  seen: number
  dropped: number
}

/**
 * Writes the frames of all cards of a network to one file for Wireshark and tcpdump. Each card is an interface. A frame
 * is recorded at the card that sent it (outbound) and at each card that received it (inbound).
 */
export class Capture implements AsyncDisposable {
  /** Absolute path of the file. */
  readonly file: string
  readonly #stream: WriteStream
  readonly #onStop: (capture: Capture) => void
  readonly #concerns: (card: Card) => boolean
  #room: number
  readonly #counts = new Map<Link, InterfaceCount>()
  #timeMs = 0
  #gathered = Buffer.allocUnsafe(GATHERED_BYTES)
  #length = 0
  #failure: Error | undefined
  #stopped: Promise<void> | undefined

  /** @throws OptionError `INVALID_OPTION` when the file cannot be created */
  constructor(file: string, onStop: (capture: Capture) => void, options: CaptureOptions = {}) {
    this.#concerns = options.concerns ?? (() => true)
    this.#room = options.maxBytes ?? Infinity
    this.file = resolve(file)
    this.#onStop = onStop
    this.#stream = createWriteStream(this.file, { fd: openForWriting(this.file) })
    this.#stream.on('error', (error) => {
      this.#failure ??= error
    })
    this.#stream.write(sectionHeader('coldboot'))
  }

  /** Frames written so far, counted once per card. */
  get frames(): number {
    return this.#sum((count) => count.seen - count.dropped)
  }

  /** Frames dropped because the disk was too slow or the file reached its limit. */
  get dropped(): number {
    return this.#sum((count) => count.dropped)
  }

  /** Adds a card before its first frame, so that a card without frames is in the file too. */
  addInterface(link: Link): void {
    if (this.#concerns(link.card)) this.#countOf(link)
  }

  add(link: Link, direction: FrameDirection, timeMs: number, frame: Buffer): void {
    if (this.#stopped || this.#failure || !this.#concerns(link.card)) return
    const count = this.#countOf(link)
    count.seen++
    this.#timeMs = timeMs
    this.#room -= packetBytes(frame.length)
    // After the limit is reached, even shorter frames are not written, so that the capture has no gap.
    if (this.#room < 0) this.#room = 0
    if (this.#room === 0 || this.#stream.writableLength > WAITING_BYTES) {
      count.dropped++
      return
    }
    if (this.#length + packetBytes(frame.length) > this.#gathered.length) this.#write()
    // Otherwise, a write is scheduled already.
    if (this.#length === 0) afterReading(() => this.#write())
    const packet = { interfaceId: count.id, timeMs, frame, outbound: direction === 'sent' }
    this.#length = writePacket(this.#gathered, this.#length, packet)
  }

  /**
   * Ends the capture; resolves when the file is complete. Idempotent.
   * @throws the system's error (`ENOSPC`, …) when the file could not be written
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#finish()
    return this.#stopped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #finish(): Promise<void> {
    this.#onStop(this)
    this.#write()
    for (const { id, seen, dropped } of this.#counts.values()) {
      this.#stream.write(interfaceStatistics(id, this.#timeMs, seen, dropped))
    }
    this.#stream.end()
    await finished(this.#stream).catch((error: unknown) => {
      throw this.#failure ?? error
    })
  }

  #write(): void {
    if (this.#length === 0) return
    this.#stream.write(this.#gathered.subarray(0, this.#length))
    // The stream uses the written memory until it is on disk. The rest of the buffer is reused if the longest frame
    // fits.
    const rest = this.#gathered.subarray(this.#length)
    this.#gathered = rest.length < packetBytes(MAX_FRAME_BYTES) ? Buffer.allocUnsafe(GATHERED_BYTES) : rest
    this.#length = 0
  }

  #countOf(link: Link): InterfaceCount {
    const known = this.#counts.get(link)
    if (known) return known
    const count = { id: this.#counts.size, seen: 0, dropped: 0 }
    this.#counts.set(link, count)
    const { name, mac, model, machine } = link.card
    this.#write()
    this.#stream.write(interfaceDescription({ name, mac, description: `${model} card of ${machine}` }))
    return count
  }

  #sum(part: (count: InterfaceCount) => number): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + part(count), 0)
  }
}

function openForWriting(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true })
    return openSync(file, 'w', 0o600)
  } catch (cause) {
    throw new OptionError('INVALID_OPTION', `The capture cannot be written to ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'Use a file in a writable folder.',
    })
  }
}
