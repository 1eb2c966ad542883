/** Computes how long a matcher waits: its `timeout`, limited by the remaining time of the test. */
import { ExpectError, OptionError } from '@coldboot/core'
import type { MatcherContext } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { timeLeft } from './time-left.ts'

/** Default window of `.not`, milliseconds. */
export const NEGATED_WINDOW_MS = 1_000

/** Options of all matchers that wait. */
export interface WindowOptions {
  /**
   * Longest wait, milliseconds, before the machine's multiplier.
   * @default the machine's `timeout`; with `.not` 1000
   */
  readonly timeout?: number | undefined
}

/** Length of a wait, in milliseconds before the machine's multiplier. */
export interface WaitWindow {
  readonly asked: number
  /** The part of `asked` that fits into the test; with `.not` all of it. */
  readonly granted: number
}

/**
 * @param normal default without `.not`, milliseconds
 * @throws ExpectError `TEST_TIMEOUT` with `.not` if the test has less time left, because a shorter wait would prove less
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
  throw new ExpectError('TEST_TIMEOUT', `The test has ${Math.round(left)} ms left, but the wait takes ${asked} ms`)
}

/** First line of the message of a wait that was shortened; empty if it was not. */
export function cutNote({ asked, granted }: WaitWindow, vm: MatcherVM): string {
  if (granted >= asked) return ''
  return `The test had too little time left for the full wait of ${asked * vm.spec.timeoutMultiplier} ms.\n`
}
