/** Observers of the frames of a network: captures and logs. Frames are decoded only if there is an observer. */
import { now, timeOrigin } from '../host/clock.ts'
import { Capture, type CaptureOptions } from './capture.ts'
import type { FrameDirection } from './frames/frame.ts'
import { decodeFrame } from './frames/frame.ts'
import type { Frame, FrameFilterInput } from './frames/frame-filter.ts'
import { FrameLog } from './frames/frame-log.ts'
import type { Link, LinkObservers } from './link.ts'

/** The captures and logs of one network. */
export class Observers implements LinkObservers {
  readonly #captures = new Set<Capture>()
  readonly #logs = new Set<FrameLog>()

  get isWatching(): boolean {
    return this.#captures.size > 0 || this.#logs.size > 0
  }

  /** @throws OptionError `INVALID_OPTION` when the file cannot be created */
  capture(file: string, links: Iterable<Link>, options?: CaptureOptions): Capture {
    const capture = new Capture(file, (it) => this.#captures.delete(it), options)
    for (const link of links) capture.addInterface(link)
    this.#captures.add(capture)
    return capture
  }

  /** @throws OptionError for an invalid filter */
  log(filter: FrameFilterInput, options: { readonly limit: number; readonly timeoutMultiplier: number }): FrameLog {
    const log = new FrameLog(filter, { ...options, onClose: (it) => this.#logs.delete(it) })
    this.#logs.add(log)
    return log
  }

  linkAdded(link: Link): void {
    for (const capture of this.#captures) capture.addInterface(link)
  }

  observe(link: Link, direction: FrameDirection, bytes: Buffer): void {
    const timeMs = timeOrigin + now()
    for (const capture of this.#captures) capture.add(link, direction, timeMs, bytes)
    const logs = [...this.#logs].filter((log) => log.concerns(direction))
    if (logs.length === 0) return
    // Copied, because a log keeps the frame, which may be a small part of a large buffer.
    const { machine, mac: card } = link.card
    const frame: Frame = { time: timeMs, machine, card, direction, ...decodeFrame(Buffer.from(bytes)) }
    for (const log of logs) log.add(frame)
  }

  /**
   * Ends all observers. Resolves when the captures are complete.
   *
   * @throws the system's error when a capture could not be written
   */
  async close(): Promise<void> {
    for (const log of this.#logs) log.close()
    await Promise.all([...this.#captures].map((capture) => capture.stop()))
  }
}
