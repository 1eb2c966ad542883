/** How long a matcher waits: what it was told, but not longer than the test has left. */
import { ExpectError, OptionError } from '@coldboot/core'
import type { MatcherContext } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { timeLeft } from './time-left.ts'

/** How long `.not` waits when nothing else is said, milliseconds. */
export const NEGATED_WINDOW_MS = 1_000

/** An option of every matcher that waits. */
export interface WindowOptions {
  /**
   * The window, milliseconds, before the machine’s multiplier.
   * @default the machine’s `timeout`; with `.not` 1000
   */
  readonly timeout?: number | undefined
}

/** A window. Milliseconds before the machine’s multiplier. */
export interface WaitWindow {
  readonly asked: number
  /** What of it fits into the test; with `.not` all of it. */
  readonly granted: number
}

/**
 * @param normal milliseconds when `timeout` is not given and `.not` is not used
 * @throws ExpectError `TEST_TIMEOUT` with `.not` when the test has less time left: a shorter wait would prove less
 * @throws OptionError `INVALID_OPTION`
 */
export function waitWindow(
  context: MatcherContext,
  vm: MatcherVM,
  timeout: number | undefined,
  normal: number = vm.spec.timeoutMs,
): WaitWindow {
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0)) {
    throw new OptionError('INVALID_OPTION', `\`timeout\` must be a number of milliseconds above 0, and is ${timeout}`)
  }
  const asked = timeout ?? (context.isNot ? NEGATED_WINDOW_MS : normal)
  const left = timeLeft(context.task, vm)
  const allowed = left / vm.spec.timeoutMultiplier
  if (!context.isNot) return { asked, granted: Math.min(asked, allowed) }
  if (asked <= allowed) return { asked, granted: asked }
  throw new ExpectError('TEST_TIMEOUT', `The test has ${Math.round(left)} ms left, less than the ${asked} ms to wait`)
}

/** Said above a failure of a wait that was cut short; empty when it was not. */
export function cutNote({ asked, granted }: WaitWindow, vm: MatcherVM): string {
  if (granted >= asked) return ''
  return `The test had no time left for the whole wait of ${asked * vm.spec.timeoutMultiplier} ms.\n`
}

/** A time for a reader: `3.0 s`. */
export function seconds(milliseconds: number): string {
  return milliseconds < 100 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
