/** A running capture of a network into a file. */
import { createWriteStream, mkdirSync, openSync, type WriteStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { OptionError } from '../errors.ts'
import type { Direction, Link } from './link.ts'
import { enhancedPacket, interfaceDescription, interfaceStatistics, sectionHeader } from './pcapng.ts'

/** What may wait for a slow disk, bytes; frames beyond it are counted and left out. */
const WAITING_BYTES = 67_108_864

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
  readonly #counts = new Map<Link, InterfaceCount>()
  #timeMs = 0
  #failure: Error | undefined
  #stopped: Promise<void> | undefined

  /** @throws OptionError `INVALID_OPTION` when the file cannot be made */
  constructor(file: string, onStop: (capture: Capture) => void) {
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

  /** Frames left out because the disk was too slow. */
  get dropped(): number {
    return this.#sum((count) => count.dropped)
  }

  /** Adds a card before its first frame, so that a silent one is in the file too. */
  addInterface(link: Link): void {
    this.#countOf(link)
  }

  add(link: Link, direction: Direction, timeMs: number, frame: Buffer): void {
    if (this.#stopped || this.#failure) return
    const count = this.#countOf(link)
    count.seen++
    this.#timeMs = timeMs
    if (this.#stream.writableLength > WAITING_BYTES) count.dropped++
    else this.#stream.write(enhancedPacket(count.id, timeMs, frame, direction === 'sent'))
  }

  /**
   * Ends the capture; resolves when the file is complete. Idempotent.
   * @throws the system’s error (`ENOSPC`, …) when the file could not be written
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
    for (const { id, seen, dropped } of this.#counts.values()) {
      this.#stream.write(interfaceStatistics(id, this.#timeMs, seen, dropped))
    }
    this.#stream.end()
    await finished(this.#stream).catch((error: unknown) => {
      throw this.#failure ?? error
    })
  }

  #countOf(link: Link): InterfaceCount {
    const known = this.#counts.get(link)
    if (known) return known
    const count = { id: this.#counts.size, seen: 0, dropped: 0 }
    this.#counts.set(link, count)
    const { name, mac, model, machine } = link.card
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
      { cause, hint: 'Name a file in a folder that this user may write to.' },
    )
  }
}
