/** One direction of a link with faults: delays, limits and drops frames. */
import { now, startTimer, stopTimer } from '../host/clock.ts'
import type { ResolvedImpairment } from './impairment.ts'
import { randomNumbers } from './random.ts'

/** Longest queue of a link with limited bandwidth, bytes: 100 full frames. */
const BOTTLENECK_BYTES = 150_000
/** Most bytes of delayed frames. Further frames are lost. */
const LIMIT_BYTES = 16_777_216

interface DelayedFrame {
  readonly frame: Buffer
  readonly dueMs: number
  readonly deliver: (frame: Buffer) => void
}

/** A queue of delayed frames, with one timer for the first of them. */
export class LinkConditioner {
  readonly #impairment: ResolvedImpairment
  readonly #random: () => number
  #delayed: DelayedFrame[] = []
  #delayedBytes = 0
  #timer: NodeJS.Timeout | undefined
  /** Time at which all frames so far will have been sent, with limited bandwidth. */
  #freeMs = 0
  #lastDueMs = 0
  #lost = 0

  /** @param salt makes the random sequence of this link differ from that of other links with the same seed */
  constructor(impairment: ResolvedImpairment, ...salt: readonly number[]) {
    this.#impairment = impairment
    this.#random = randomNumbers(impairment.seed, ...salt)
  }

  /** Number of lost frames. */
  get lost(): number {
    return this.#lost
  }

  /** Sends a frame. `deliver` is called when it arrives, immediately if it is not delayed. */
  pass(frame: Buffer, deliver: (frame: Buffer) => void): void {
    const { loss, latencyMs, jitterMs, bytesPerMs } = this.#impairment
    // Both numbers are drawn for every frame, so that the loss of one frame does not change the numbers of later ones.
    const isLost = this.#random() < loss
    const jitter = (this.#random() * 2 - 1) * jitterMs
    const nowMs = now()
    const full =
      this.#delayedBytes > LIMIT_BYTES ||
      (bytesPerMs !== undefined && (this.#freeMs - nowMs) * bytesPerMs > BOTTLENECK_BYTES)
    if (isLost || full) {
      this.#lost++
      return
    }
    const sentMs = bytesPerMs === undefined ? nowMs : Math.max(nowMs, this.#freeMs) + frame.length / bytesPerMs
    this.#freeMs = sentMs
    const dueMs = Math.max(sentMs + Math.max(0, latencyMs + jitter), this.#lastDueMs)
    if (dueMs <= nowMs && this.#delayed.length === 0) {
      deliver(frame)
      return
    }
    this.#lastDueMs = dueMs
    this.#delayedBytes += frame.length
    this.#delayed.push({ frame, dueMs, deliver })
    this.#timer ??= this.#wake(dueMs - nowMs)
  }

  /** Drops all delayed frames. */
  close(): void {
    stopTimer(this.#timer)
    this.#timer = undefined
    this.#delayed = []
    this.#delayedBytes = 0
  }

  #wake(inMs: number): NodeJS.Timeout {
    // Delayed frames must not keep the process alive.
    return startTimer(() => this.#deliverDue(), Math.max(1, Math.ceil(inMs))).unref()
  }

  #deliverDue(): void {
    this.#timer = undefined
    const nowMs = now()
    const later = this.#delayed.findIndex((it) => it.dueMs > nowMs)
    const due = this.#delayed.splice(0, later < 0 ? this.#delayed.length : later)
    for (const { frame, deliver } of due) {
      this.#delayedBytes -= frame.length
      deliver(frame)
    }
    const [next] = this.#delayed
    if (next) this.#timer ??= this.#wake(next.dueMs - nowMs)
  }
}
