/** A pending `expect`: its promise, its timers, and whether it has settled. */
import type { CallSite } from '../../host/call-site.ts'
import { afterReading, startTimer, stopTimer } from '../../host/clock.ts'
import type { ExpectBuffer } from '../match/expect-buffer.ts'
import type { Match, Pattern } from '../match/pattern.ts'
import type { ViewName } from '../text/console-text.ts'

/** Parameters of a wait. Times in milliseconds, after the multiplier. */
export interface WaitRequest {
  readonly patterns: readonly Pattern[]
  readonly view: ViewName
  readonly timeoutMs: number
  readonly idleMs: number
  readonly signal: AbortSignal | undefined
  readonly callSite: CallSite
}

/** Callbacks of a wait. */
export interface WaitEvents {
  /** Called at the timeout, after all output that has arrived until then was processed. */
  readonly deadline: () => void
  /** Returns the milliseconds until the idle timeout; 0 or less when it is reached. */
  readonly idle: () => number
  readonly abort: () => void
}

/** The running search of the first wait in the queue. */
export interface ActiveSearch {
  readonly buffer: ExpectBuffer
  /** Start of the search, in the view of the wait. */
  readonly origin: number
  /** Number of characters before `origin` that should have been searched but are no longer in memory. */
  readonly dropped: number
}

/** A pending `expect`. */
export class Wait {
  readonly request: WaitRequest
  /** Unique for each wait of a console. */
  readonly id: number
  readonly promise: Promise<Match>
  readonly startedAt: number
  /** Set when the wait is the first in the queue. */
  activeSearch: ActiveSearch | undefined
  readonly #events: WaitEvents
  readonly #resolve: (match: Match) => void
  readonly #reject: (error: Error) => void
  readonly #timers = new Set<NodeJS.Timeout>()
  #over = false

  constructor(request: WaitRequest, id: number, startedAt: number, events: WaitEvents) {
    const { promise, resolve, reject } = Promise.withResolvers<Match>()
    // If `await` was forgotten, the rejection at the end of the machine must not be an unhandled rejection.
    promise.catch(() => {})
    this.request = request
    this.id = id
    this.promise = promise
    this.startedAt = startedAt
    this.#events = events
    this.#resolve = resolve
    this.#reject = reject
    request.signal?.addEventListener('abort', events.abort, { once: true })
    if (request.timeoutMs !== Infinity) this.#after(request.timeoutMs, () => events.deadline())
    if (request.idleMs !== Infinity) this.#after(request.idleMs, () => this.#onIdle())
  }

  get over(): boolean {
    return this.#over
  }

  resolve(match: Match): void {
    this.#end()
    this.#resolve(match)
  }

  reject(error: Error): void {
    this.#end()
    this.#reject(error)
  }

  #onIdle(): void {
    const left = this.#events.idle()
    if (left > 0 && !this.#over) this.#after(left, () => this.#onIdle())
  }

  #after(milliseconds: number, job: () => void): void {
    const timer = startTimer(() => {
      this.#timers.delete(timer)
      afterReading(() => {
        if (!this.#over) job()
      })
    }, milliseconds)
    this.#timers.add(timer)
  }

  #end(): void {
    this.#over = true
    for (const timer of this.#timers) stopTimer(timer)
    this.request.signal?.removeEventListener('abort', this.#events.abort)
  }
}
