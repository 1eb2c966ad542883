/**
 * Enforces the time limit of a Vitest test with {@link TestClock}, because Vitest counts the setup of fixtures as time of
 * the test. Replaces `context.signal`: Vitest ends the test function when it aborts, reads it at the start of each attempt,
 * and sets a new one for the next attempt.
 */
import { ExpectError } from '@coldboot/core'
import { readEnvironment } from '@coldboot/core/internal'
import { TIME_LEFT } from '@coldboot/matchers'
import { framesOf, TestClock, timeoutError } from '@coldboot/runner'
import type { RunnerTestCase } from 'vitest'

const clocks = new WeakMap<RunnerTestCase, TestClock>()
const definitions = new WeakMap<RunnerTestCase, Error>()

/** Returns the clock of the current attempt. Only tests created by this package's `test` have one. */
export function clockOf(task: RunnerTestCase): TestClock {
  const clock = clocks.get(task)
  if (clock) return clock
  throw new ExpectError('TEST_ENDED', `"${task.name}" is not a test of @coldboot/vitest`, {
    hint: 'Use the fixtures with `test` from @coldboot/vitest, or with a `test` extended from it.',
  })
}

/** The stack frames of the test definition. */
export function definitionOf(task: RunnerTestCase): string {
  return framesOf(definitions.get(task)?.stack).join('\n')
}

/**
 * Enforces the time limit of a test.
 *
 * @param limitMs the limit before COLDBOOT_TIMEOUT_MULTIPLIER; 0 or Infinity for none
 * @param definition an error created at the test definition, for the stack of a timeout
 */
export function keepTime(task: RunnerTestCase, limitMs: number, definition: Error): void {
  const limit = limitMs > 0 ? limitMs * readEnvironment().timeoutMultiplier : Infinity
  const begin = (runner: AbortSignal): void => {
    clocks.get(task)?.stop()
    // Hooks after a passed test have their own limit.
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
      // Hooks have their own limit and may read the signal too.
      if (task.result !== undefined && task.result.hooks?.beforeEach !== 'run') clock.start()
      return clock.signal
    },
    set: begin,
  })
  Object.defineProperty(task, TIME_LEFT, { value: () => clockOf(task).left() })
}
