/** A running capture of a network into a file. */
import { createWriteStream, mkdirSync, openSync, type WriteStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { OptionError } from '../errors.ts'
import type { FrameDirection } from './frames/frame.ts'
import { MAX_FRAME_BYTES } from './frames/frame-reader.ts'
import type { Card, Link } from './link.ts'
import { interfaceDescription, interfaceStatistics, packetBytes, sectionHeader, writePacket } from './pcapng.ts'

/** Blocks are gathered to this many bytes before they are written, or to the end of this turn of the event loop. */
const GATHERED_BYTES = 262_144
/** What may wait for a slow disk, bytes; frames beyond it are counted and left out. */
const WAITING_BYTES = 67_108_864

/** What is captured. */
export interface CaptureOptions {
  /** Which cards. @default all of the network */
  readonly concerns?: ((card: Card) => boolean) | undefined
  /** Most bytes of packets in the file; further ones are counted and left out. @default no limit */
  readonly maxBytes?: number | undefined
}

interface InterfaceCount {
  readonly id: number
  seen: number
  dropped: number
}

/**
 * Frames of all cards of a network in one file that Wireshark and tcpdump open: an interface for each card, a frame at
 * the card that sent it (outbound) and at each that received it (inbound).
 */
export class Capture implements AsyncDisposable {
  /** Absolute path. */
  readonly file: string
  readonly #stream: WriteStream
  readonly #onStop: (capture: Capture) => void
  readonly #concerns: (card: Card) => boolean
  #room: number
  readonly #counts = new Map<Link, InterfaceCount>()
  #timeMs = 0
  #gathered = Buffer.allocUnsafe(GATHERED_BYTES)
  #length = 0
  #flush: NodeJS.Immediate | undefined
  #failure: Error | undefined
  #stopped: Promise<void> | undefined

  /** @throws OptionError `INVALID_OPTION` when the file cannot be made */
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

  /** Frames written so far, each once per card. */
  get frames(): number {
    return this.#sum((count) => count.seen - count.dropped)
  }

  /** Frames left out because the disk was too slow, or the file had its size. */
  get dropped(): number {
    return this.#sum((count) => count.dropped)
  }

  /** Adds a card before its first frame, so that a silent one is in the file too. */
  addInterface(link: Link): void {
    if (this.#concerns(link.card)) this.#countOf(link)
  }

  add(link: Link, direction: FrameDirection, timeMs: number, frame: Buffer): void {
    if (this.#stopped || this.#failure || !this.#concerns(link.card)) return
    const count = this.#countOf(link)
    count.seen++
    this.#timeMs = timeMs
    this.#room -= packetBytes(frame.length)
    // Once there was no room, none follow: a capture without its middle misleads.
    if (this.#room < 0) this.#room = 0
    if (this.#room === 0 || this.#stream.writableLength > WAITING_BYTES) {
      count.dropped++
      return
    }
    if (this.#length + packetBytes(frame.length) > this.#gathered.length) this.#write()
    const packet = { interfaceId: count.id, timeMs, frame, outbound: direction === 'sent' }
    this.#length = writePacket(this.#gathered, this.#length, packet)
    this.#flush ??= setImmediate(() => this.#write())
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
    clearImmediate(this.#flush)
    this.#flush = undefined
    if (this.#length === 0) return
    this.#stream.write(this.#gathered.subarray(0, this.#length))
    // The stream keeps what it was given until it is on disk: go on behind it while the longest frame has room there.
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
    return openSync(file, 'w')
  } catch (cause) {
    throw new OptionError(
      'INVALID_OPTION',
      `The capture cannot be written to ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, hint: 'Use a file in a writable folder.' },
    )
  }
}
