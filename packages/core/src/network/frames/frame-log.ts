/** Log of the frames of a network, which a test can iterate over and wait for. */

import { ExpectError } from '../../errors.ts'
import { LONGEST_TIMER } from '../../host/clock.ts'
import { type CheckTable, checkTable, isDuration, isSignal } from '../../options/checked-options.ts'
import type { FrameDirection } from './frame.ts'
import { type Frame, type FrameFilterInput, frameMatcher } from './frame-filter.ts'

/** Default timeout of {@link FrameLog.waitFor}, milliseconds. */
const DEFAULT_TIMEOUT_MS = 7_000

/** Options of {@link FrameLog.waitFor}. */
export interface FrameWaitOptions {
  /** Milliseconds, before the multiplier. @default 7000 */
  readonly timeout?: number | undefined
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal | undefined
}

const WAIT_CHECKS: CheckTable<Required<FrameWaitOptions>> = {
  timeout: isDuration,
  signal: isSignal,
}

/**
 * The frames of a network that match a filter, since the log was opened. `for await` iterates over all of these frames,
 * including future ones, until the log is closed.
 */
export class FrameLog implements AsyncIterable<Frame>, Disposable {
  readonly #direction: FrameDirection | undefined
  readonly #matches: (frame: Frame) => boolean
  readonly #limit: number
  readonly #onClose: (log: FrameLog) => void
  readonly #timeoutMultiplier: number
  #frames: Frame[] = []
  #forgotten = 0
  #closed = false
  /** The error of the filter that closed the log. */
  #failure: { readonly error: unknown } | undefined
  #wakeUps: (() => void)[] = []

  constructor(
    filter: FrameFilterInput,
    options: { limit: number; timeoutMultiplier: number; onClose: (log: FrameLog) => void },
  ) {
    this.#matches = frameMatcher(filter, { direction: 'sent' })
    this.#direction = typeof filter === 'function' ? undefined : (filter.direction ?? 'sent')
    this.#limit = options.limit
    this.#onClose = options.onClose
    this.#timeoutMultiplier = options.timeoutMultiplier
  }

  /** The frames so far, the oldest first. If there are more than the limit of the log, only the last ones. */
  get history(): readonly Frame[] {
    return this.#frames.slice(-this.#limit)
  }

  /** Number of frames that are no longer in {@link history}. */
  get forgotten(): number {
    return this.#forgotten + Math.max(0, this.#frames.length - this.#limit)
  }

  /** Whether the filter can match frames of this direction. */
  concerns(direction: FrameDirection): boolean {
    return this.#direction === undefined || this.#direction === direction
  }

  /** Adds a frame if it matches the filter. A filter that throws closes the log, because the caller reads a socket. */
  add(frame: Frame): void {
    if (this.#closed) return
    try {
      if (!this.#matches(frame)) return
    } catch (error) {
      this.#failure = { error }
      this.close()
      return
    }
    this.#frames.push(frame)
    // Removes half of the frames at once, because removing a single one from the start of an array costs as much.
    if (this.#frames.length >= this.#limit * 2) {
      this.#forgotten += this.#frames.length - this.#limit
      this.#frames = this.#frames.slice(-this.#limit)
    }
    this.#wake()
  }

  /**
   * Waits for a frame that matches `filter` too. Frames that are already in the log count.
   * @throws ExpectError `EXPECT_TIMEOUT` with the frames seen instead, `EXPECT_EXITED` when the log is closed,
   *   `EXPECT_ABORTED`
   * @throws the error of the log's filter, if it is a function that has thrown, which closes the log
   * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
   */
  async waitFor(filter: FrameFilterInput = () => true, options: FrameWaitOptions = {}): Promise<Frame> {
    const matches = frameMatcher(filter)
    checkTable('waitFor', options, WAIT_CHECKS)
    const { timeout = DEFAULT_TIMEOUT_MS, signal } = options
    const limitMs = timeout * this.#timeoutMultiplier
    const late = AbortSignal.timeout(Math.ceil(Math.min(limitMs, LONGEST_TIMER)))
    const ends = signal ? AbortSignal.any([late, signal]) : late
    for await (const frame of this.#read(ends)) if (matches(frame)) return frame
    if (signal?.aborted)
      throw new ExpectError('EXPECT_ABORTED', 'The wait for a frame was aborted', { cause: signal.reason })
    if (this.#closed) throw this.#missing('EXPECT_EXITED', 'The log was closed before the frame came')
    throw this.#missing('EXPECT_TIMEOUT', `No matching frame within ${limitMs} ms`)
  }

  [Symbol.asyncIterator](): AsyncGenerator<Frame, void, undefined> {
    return this.#read(undefined)
  }

  /** Ends the log and every `for await` over it. {@link history} stays available. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClose(this)
    this.#wake()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async *#read(ends: AbortSignal | undefined): AsyncGenerator<Frame, void, undefined> {
    ends?.addEventListener('abort', () => this.#wake(), { once: true })
    let next = 0
    for (;;) {
      // Frames may have been dropped while the consumer processed the last one.
      next = Math.max(next, this.#forgotten)
      const frame = this.#frames[next - this.#forgotten]
      if (frame) {
        next++
        yield frame
        continue
      }
      if (this.#failure) throw this.#failure.error as Error
      if (this.#closed || ends?.aborted) return
      await new Promise<void>((resolve) => this.#wakeUps.push(resolve))
    }
  }

  #wake(): void {
    const wakeUps = this.#wakeUps
    this.#wakeUps = []
    for (const wakeUp of wakeUps) wakeUp()
  }

  #missing(code: 'EXPECT_TIMEOUT' | 'EXPECT_EXITED', message: string): ExpectError {
    const last = this.history.slice(-10).map(summary).join('\n')
    const count = this.history.length + this.forgotten
    return new ExpectError(
      code,
      `${message}; ${count === 1 ? '1 other frame was' : `${count} other frames were`} seen`,
      {
        hint: 'A log contains the frames after its creation. Open it before the traffic starts.',
        sections: { 'Last frames': last },
      },
    )
  }
}

/** One-line summary of a frame, for errors. */
export function summary(frame: Frame): string {
  const { machine, direction, protocol, source, destination } = frame
  const end = (ip: string | undefined, port: number | undefined, mac: string): string =>
    `${ip ?? mac}${port === undefined ? '' : ` port ${port}`}`
  const from = end(frame.sourceIp, frame.sourcePort, source)
  const to = end(frame.destinationIp, frame.destinationPort, destination)
  return `${machine} ${direction} ${protocol} ${from} → ${to}, ${frame.bytes.length} bytes`
}
