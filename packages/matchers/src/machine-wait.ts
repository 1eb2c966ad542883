/** Waits for events of a machine other than console output, at most until the end of the test. */
import { ColdbootError, ExpectError } from '@coldboot/core'
import { afterReading, startTimer, stopTimer } from '@coldboot/core/internal'
import type { MatcherVM } from './matcher-vm.ts'
import type { WaitWindow } from './wait-window.ts'

/** Returned when the time is up first. */
export const TIME_UP: unique symbol = Symbol('time up')

/**
 * Waits for `event` within a window.
 *
 * @returns the value of `event`, or {@link TIME_UP} at the end of the window
 * @throws ExpectError `EXPECT_ABORTED` when the machine's signal aborts, for example at the end of its test
 */
export async function within<T>(vm: MatcherVM, window: WaitWindow, event: Promise<T>): Promise<T | typeof TIME_UP> {
  const { promise: over, resolve, reject } = Promise.withResolvers<typeof TIME_UP>()
  const { signal } = vm.spec
  const milliseconds = window.granted * vm.spec.timeoutMultiplier
  // Events that are already queued count as in time.
  const timer = startTimer(() => afterReading(() => resolve(TIME_UP)), milliseconds)
  const onAbort = (): void => reject(abortError(vm, signal?.reason))
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([event, over])
  } finally {
    stopTimer(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Resolves after a time in milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void startTimer(resolve, milliseconds))
}

function abortError(vm: MatcherVM, cause: unknown): ExpectError {
  const why = ColdbootError.is(cause) ? cause.shortMessage : String(cause)
  return new ExpectError('EXPECT_ABORTED', `The wait for "${vm.name}" was aborted: ${why}`, { cause })
}

/**
 * Rethrows an error, except after the end of the test: then the promise never settles, because a rejection would be
 * reported as unhandled.
 */
export async function unlessTestEnded(error: unknown): Promise<never> {
  const ended = ColdbootError.is(error) && ColdbootError.is(error.cause) && error.cause.code === 'TEST_ENDED'
  if (!ended) throw error
  return new Promise(() => {})
}
