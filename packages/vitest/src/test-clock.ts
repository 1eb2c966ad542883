/**
 * A test’s own time, which stands still while a machine is being prepared and booted.
 *
 * Vitest counts the set-up of fixtures as the test’s time, and its timer cannot be held: a machine that takes 20 s to
 * boot would fail every test of 5 s. So the limit of our tests is kept here instead. The way in is `context.signal`: the
 * runner ends the test’s function when that aborts, asks for it first thing in each attempt, and sets a new one for the
 * next attempt.
 */
import { ExpectError, readEnvironment } from '@coldboot/core'
import { TIME_LEFT } from '@coldboot/matchers'
import type { RunnerTestCase } from 'vitest'
import { framesOf } from './reported-error.ts'

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

const clocks = new WeakMap<RunnerTestCase, TestClock>()
const definitions = new WeakMap<RunnerTestCase, Error>()

/** The clock of a test’s present attempt. Every test made by this package’s `test` has one. */
export function clockOf(task: RunnerTestCase): TestClock {
  const clock = clocks.get(task)
  if (clock) return clock
  throw new ExpectError('TEST_ENDED', `"${task.name}" has no clock of its own`, {
    hint: 'Use the fixtures with `test` from @coldboot/vitest, or with what was extended from it.',
  })
}

/** The stack frames of where a test is defined. */
export function definitionOf(task: RunnerTestCase): string {
  return framesOf(definitions.get(task)?.stack).join('\n')
}

/**
 * Puts a test under a clock of its own.
 *
 * @param limitMs the test’s time before COLDBOOT_TIMEOUT_MULTIPLIER, 0 or Infinity for no limit
 * @param definition an error made where the test is defined: what a timeout points at
 */
export function keepTime(task: RunnerTestCase, limitMs: number, definition: Error): void {
  const limit = limitMs > 0 ? limitMs * readEnvironment().timeoutMultiplier : Infinity
  const begin = (runner: AbortSignal): void => {
    clocks.get(task)?.stop()
    // Hooks after a test that has passed are not its time.
    const error = (heldMs: number): Error | undefined =>
      task.result?.state === 'pass' ? undefined : timeoutError(limit, heldMs, definitionOf(task))
    clocks.set(task, new TestClock(runner, limit, error))
  }
  definitions.set(task, definition)
  begin(task.context.signal)
  Object.defineProperty(task.context, 'signal', {
    configurable: true,
    enumerable: true,
    get: () => {
      const clock = clockOf(task)
      // Hooks have time slots of their own: what asks for the signal there is not the test.
      if (task.result !== undefined && task.result.hooks?.beforeEach !== 'run') clock.start()
      return clock.signal
    },
    set: begin,
  })
  Object.defineProperty(task, TIME_LEFT, { value: () => clockOf(task).left() })
}

function timeoutError(limitMs: number, heldMs: number, frames: string): Error {
  const besides = heldMs < 1 ? '' : `, besides the ${Math.round(heldMs)} ms in which its machines were started`
  const error = new ExpectError('TEST_TIMEOUT', `Test timed out in ${limitMs} ms${besides}`)
  error.stack = `${error.name}: ${error.message}\n${frames}`
  return error
}
