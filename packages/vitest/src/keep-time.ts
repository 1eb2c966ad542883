/**
 * Keeps the time of Vitest's tests by {@link TestClock}: the runner counts the set-up of fixtures as the test's time. The
 * way in is `context.signal`: the runner ends the test's function when that aborts, asks for it first thing in each
 * attempt, and sets a new one for the next attempt.
 */
import { ExpectError } from '@coldboot/core'
import { readEnvironment } from '@coldboot/core/internal'
import { TIME_LEFT } from '@coldboot/matchers'
import { framesOf, TestClock, timeoutError } from '@coldboot/runner'
import type { RunnerTestCase } from 'vitest'

const clocks = new WeakMap<RunnerTestCase, TestClock>()
const definitions = new WeakMap<RunnerTestCase, Error>()

/** The clock of a test's present attempt. Every test made by this package's `test` has one. */
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
 * @param limitMs the test's time before COLDBOOT_TIMEOUT_MULTIPLIER, 0 or Infinity for no limit
 * @param definition an error made where the test is defined: what a timeout points at
 */
export function keepTime(task: RunnerTestCase, limitMs: number, definition: Error): void {
  const limit = limitMs > 0 ? limitMs * readEnvironment().timeoutMultiplier : Infinity
  const begin = (runner: AbortSignal): void => {
    clocks.get(task)?.stop()
    // Hooks after a test that has passed are not its time.
    const error = (heldMs: number): Error | undefined =>
      task.result?.state === 'pass'
        ? undefined
        : timeoutError({ what: 'Test', limitMs: limit, heldMs, frames: [definitionOf(task)] })
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
