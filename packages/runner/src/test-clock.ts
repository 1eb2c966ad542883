/**
 * A test’s own time, which stands still while a machine is being prepared and booted. A runner’s own timer cannot be held:
 * a machine that takes 20 s to boot would fail every test of 5 s. So the limit of our tests is kept here instead.
 */
import { ExpectError } from '@coldboot/core'

// A test may replace the timers (`vi.useFakeTimers()`); its own limit stays real.
const { setTimeout: setTimer, clearTimeout: clearTimer, performance } = globalThis

/**
 * A wait on a machine that the limit cuts off says more than the limit does, and points at the line that waited: it gets
 * this long to end the test in its own words. Milliseconds.
 */
const LAST_WORDS_MS = 100

/** One attempt of a test: its clock, and the signals that end it. */
export class TestClock {
  /** Ends the test’s function; for the runner. */
  readonly signal: AbortSignal
  /** Ends the waits on machines: with the run, a moment before the test’s function, or when the attempt is over. */
  readonly waits: AbortSignal
  /** Whether the runner itself ended the attempt: the run was cancelled. */
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
  #timer: ReturnType<typeof setTimeout> | undefined

  /**
   * @param runner the runner’s own signal for this attempt
   * @param limitMs the test’s time; Infinity: no limit
   * @param timeoutError makes the error for when it is up, from how long the clock stood still; undefined: the test has
   * ended in time
   */
  constructor(runner: AbortSignal, limitMs: number, timeoutError: (heldMs: number) => Error | undefined) {
    this.#runner = runner
    this.#limitMs = limitMs
    this.#timeoutError = timeoutError
    this.signal = AbortSignal.any([runner, this.#endTest.signal])
    this.waits = AbortSignal.any([runner, this.#endWaits.signal])
  }

  /** Begins to count. No effect the second time, nor after the end. */
  start(): void {
    if (this.#running || this.#stopped) return
    this.#running = true
    this.#since = performance.now()
    this.#arm()
  }

  /** Stands still until the returned object is disposed. Holds may overlap. */
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

  /** Milliseconds left; Infinity without a limit. */
  left(): number {
    this.#account()
    return this.#limitMs - this.#usedMs
  }

  /** Stops for good, and ends what still waits. */
  end(reason: Error): void {
    this.stop()
    this.#endWaits.abort(reason)
  }

  /** Stops for good. */
  stop(): void {
    this.#running = false
    this.#stopped = true
    clearTimer(this.#timer)
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
    this.#timer = setTimer(() => this.#expire(), Math.max(this.#limitMs - this.#usedMs, 0))
    this.#timer.unref()
  }

  #expire(): void {
    this.#account()
    const error = this.#timeoutError(this.#heldMs)
    if (error === undefined) return
    this.#endWaits.abort(error)
    setTimer(() => this.#endTest.abort(error), LAST_WORDS_MS)
  }
}

/** What is said of a test whose time is up. */
export interface TimeUp {
  /** What it was: `Test`, or a hook. */
  readonly what: string
  readonly limitMs: number
  /** How long its clock stood still, besides. */
  readonly heldMs: number
  /** Stack frames of the test’s definition. */
  readonly frames: readonly string[]
  /** What to do, in the words of the runner. @default those of the table of codes */
  readonly hint?: string
}

/** The error for a test whose time is up. */
export function timeoutError({ what, limitMs, heldMs, frames, hint }: TimeUp): Error {
  const besides = heldMs < 1 ? '' : `, besides the ${Math.round(heldMs)} ms in which its machines were started`
  const error = new ExpectError(
    'TEST_TIMEOUT',
    `${what} timed out in ${limitMs} ms${besides}`,
    hint === undefined ? {} : { hint },
  )
  error.stack = `${error.name}: ${error.message}\n${frames.join('\n')}`
  return error
}
