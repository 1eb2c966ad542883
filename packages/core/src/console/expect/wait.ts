/** One pending `expect`: its promise, its clocks, and whether it is over. What it waits for is the console's business. */
import type { CallSite } from '../../host/call-site.ts'
import { afterReading, LONGEST_TIMER, startTimer, stopTimer } from '../../host/clock.ts'
import type { ExpectBuffer } from '../match/expect-buffer.ts'
import type { Match, Pattern } from '../match/pattern.ts'
import type { ViewName } from '../text/console-text.ts'

/** What is asked of a wait. Times in milliseconds, the multiplier applied. */
export interface WaitRequest {
  readonly patterns: readonly Pattern[]
  readonly view: ViewName
  readonly timeoutMs: number
  readonly idleMs: number
  readonly signal: AbortSignal | undefined
  readonly callSite: CallSite
}

/** What happens to a wait from outside. */
export interface WaitEvents {
  /** The time is up; what came until now was seen. */
  readonly deadline: () => void
  /** Called now and then; returns the milliseconds after which silence would be too long, 0 or less when it is. */
  readonly idle: () => number
  readonly abort: () => void
}

/** The search of a wait whose turn has come. */
export interface ActiveSearch {
  readonly buffer: ExpectBuffer
  /** Where the search begins, in the wait's view. */
  readonly origin: number
  /** Characters missing before it: they are no longer kept. */
  readonly dropped: number
}

/** A pending `expect`. */
export class Wait {
  readonly request: WaitRequest
  /** Different for each wait of a console. */
  readonly id: number
  readonly promise: Promise<Match>
  readonly startedAt: number
  /** Set when its turn has come. */
  turn: ActiveSearch | undefined
  readonly #events: WaitEvents
  readonly #resolve: (match: Match) => void
  readonly #reject: (error: Error) => void
  readonly #timers = new Set<NodeJS.Timeout>()
  #over = false

  constructor(request: WaitRequest, id: number, startedAt: number, events: WaitEvents) {
    const { promise, resolve, reject } = Promise.withResolvers<Match>()
    // Nobody may be awaiting it when the machine is closed: that is a forgotten `await`, not a reason to end the process.
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
    const timer = startTimer(
      () => {
        this.#timers.delete(timer)
        afterReading(() => {
          if (!this.#over) job()
        })
      },
      Math.min(milliseconds, LONGEST_TIMER),
    )
    this.#timers.add(timer)
  }

  #end(): void {
    this.#over = true
    for (const timer of this.#timers) stopTimer(timer)
    this.request.signal?.removeEventListener('abort', this.#events.abort)
  }
}
