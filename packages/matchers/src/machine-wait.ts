/** Waits for something about a machine that is not on its console: within a window, and no longer than its test. */
import { ColdbootError, ExpectError } from '@coldboot/core'
import type { MatcherVM } from './matcher-vm.ts'
import type { WaitWindow } from './wait-window.ts'

// Real time, also for a test that replaces the timers.
const { setTimeout: startTimer, clearTimeout: stopTimer, setImmediate: afterReading } = globalThis

/** The longest a timer can run, milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Returned when the time was up first. */
export const TIME_UP: unique symbol = Symbol('time up')

/**
 * @returns what `event` resolves to, or {@link TIME_UP} at the end of the window
 * @throws ExpectError `EXPECT_ABORTED` when the machine’s signal aborts, which its test’s end does
 */
export async function within<T>(vm: MatcherVM, window: WaitWindow, event: Promise<T>): Promise<T | typeof TIME_UP> {
  const { promise: over, resolve, reject } = Promise.withResolvers<typeof TIME_UP>()
  const { signal } = vm.spec
  const milliseconds = window.granted * vm.spec.timeoutMultiplier
  // What has arrived already was in time.
  const timer = startTimer(() => afterReading(() => resolve(TIME_UP)), Math.min(milliseconds, LONGEST_TIMER))
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

/** Lets time pass, in milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void startTimer(resolve, milliseconds))
}

function abortError(vm: MatcherVM, cause: unknown): ExpectError {
  const why = ColdbootError.is(cause) ? cause.shortMessage : String(cause)
  return new ExpectError('EXPECT_ABORTED', `The wait for "${vm.name}" was aborted: ${why}`, { cause })
}

/** A promise for nobody: its test has ended, and a rejection would only be reported as unhandled, beside the reason. */
export async function unlessTestEnded(error: unknown): Promise<never> {
  const ended = ColdbootError.is(error) && ColdbootError.is(error.cause) && error.cause.code === 'TEST_ENDED'
  if (!ended) throw error
  return new Promise(() => {})
}
