/**
 * Enforces the time limit of a test, with a clock that stops while a VM starts. The timer of a test runner cannot be
 * paused, so a VM that takes 20 s to boot would fail every test with a limit of 5 s.
 */
import { ExpectError } from '@coldboot/core'
import { LONGEST_TIMER } from '@coldboot/core/internal'

// Real timers, because a test may replace the global ones (`vi.useFakeTimers()`).
const { setTimeout: setTimer, clearTimeout: clearTimer, performance } = globalThis

/**
 * Time between the abort of the waits and the end of the test, milliseconds. Lets a wait fail the test first, because its error
 * explains more than that of the time limit and points at the waiting line.
 */
const GRACE_MS = 100

/** The clock of one test attempt, and the signals that end it. */
export class TestClock {
  /** Aborts the test function. For the test runner. */
  readonly signal: AbortSignal
  /** Aborts waits on VMs: when the run is cancelled, shortly before the test function, or at the end of the attempt. */
  readonly waits: AbortSignal
  /** Whether the test runner cancelled the attempt. */
  get cancelled(): boolean {
    return this.#runner.aborted
  }
  readonly #runner: AbortSignal
  readonly #limitMs: number
  readonly #timeoutError: (heldMs: number) => Error | undefined
  readonly #endTest = new AbortController()
  readonly #endWaits = new AbortController()
  #running = false
  #stopped = false
  #holds = 0
  #usedMs = 0
  #heldMs = 0
  #since = 0
  #timer: ReturnType<typeof setTimer> | undefined
  #grace: ReturnType<typeof setTimer> | undefined

  /**
   * @param runner the runner's own signal for this attempt
   * @param limitMs the time limit of the test; Infinity for none
   * @param timeoutError creates the error when the time is up, from how long the clock was stopped; returns undefined if
   * the test has already ended
   */
  constructor(runner: AbortSignal, limitMs: number, timeoutError: (heldMs: number) => Error | undefined) {
    this.#runner = runner
    this.#limitMs = limitMs
    this.#timeoutError = timeoutError
    this.signal = AbortSignal.any([runner, this.#endTest.signal])
    this.waits = AbortSignal.any([runner, this.#endWaits.signal])
  }

  /** Starts the clock. Does nothing if it is running or has ended. */
  start(): void {
    if (this.#running || this.#stopped) return
    this.#running = true
    this.#since = performance.now()
    this.#arm()
  }

  /** Stops the clock until the returned object is disposed. Holds may overlap. */
  hold(): Disposable {
    this.#account()
    this.#holds++
    this.#arm()
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        this.#account()
        this.#holds--
        this.#arm()
      },
    }
  }

  /** Remaining time in milliseconds; Infinity without a limit. */
  left(): number {
    this.#account()
    return this.#limitMs - this.#usedMs
  }

  /** Ends the clock and aborts pending waits. */
  end(reason: Error): void {
    this.stop()
    this.#endWaits.abort(reason)
  }

  /** Ends the clock. */
  stop(): void {
    this.#running = false
    this.#stopped = true
    clearTimer(this.#timer)
    clearTimer(this.#grace)
  }

  #account(): void {
    const now = performance.now()
    if (this.#holds > 0) this.#heldMs += now - this.#since
    else if (this.#running) this.#usedMs += now - this.#since
    this.#since = now
  }

  #arm(): void {
    clearTimer(this.#timer)
    if (!this.#running || this.#holds > 0 || this.#limitMs === Infinity) return
    const left = Math.max(Math.ceil(this.#limitMs - this.#usedMs), 0)
    // A longer delay would expire after 1 ms.
    this.#timer = setTimer(() => this.#expire(), Math.min(left, LONGEST_TIMER))
    this.#timer.unref()
  }

  #expire(): void {
    this.#account()
    const error = this.#timeoutError(this.#heldMs)
    if (error === undefined) return
    this.#endWaits.abort(error)
    this.#grace = setTimer(() => this.#endTest.abort(error), GRACE_MS)
  }
}

/** Facts about a test or hook that timed out. */
export interface TimeUp {
  /** `Test`, or the name of a hook. */
  readonly what: string
  readonly limitMs: number
  /** How long its clock was stopped, milliseconds. */
  readonly heldMs: number
  /** Stack frames of the test definition. */
  readonly frames: readonly string[]
  /** Advice that fits the test runner. @default the hint of `TEST_TIMEOUT` */
  readonly hint?: string
}

/** The error for a test that timed out. */
export function timeoutError({ what, limitMs, heldMs, frames, hint }: TimeUp): Error {
  const besides = heldMs < 1 ? '' : `, not counting ${Math.round(heldMs)} ms for starting its machines`
  const error = new ExpectError(
    'TEST_TIMEOUT',
    `${what} timed out in ${limitMs} ms${besides}`,
    hint === undefined ? {} : { hint },
  )
  error.stack = `${error.name}: ${error.message}\n${frames.join('\n')}`
  return error
}
