/**
 * How much time the running test has left. A runner does not tell: it would end a test in the middle of a wait and say
 * only that the test was too slow. Whoever knows when the test began leaves the answer on the task, or on the machine
 * where a runner has no task, under a registered symbol, so that two copies of this package agree.
 */

/** Key of the function on a task or a machine that returns the test’s remaining time in milliseconds; Infinity without a limit. */
export const TIME_LEFT: unique symbol = Symbol.for('coldboot.timeLeft') as typeof TIME_LEFT

/** A wait must end this long before the test does, so that its own message is the one that is shown. Milliseconds. */
export const MARGIN_MS = 100

/**
 * Milliseconds a wait may take at most; Infinity when nobody knows.
 * @param holders what may have the answer, the best first
 */
export function timeLeft(...holders: readonly (object | undefined)[]): number {
  for (const holder of holders) {
    const left: unknown = holder && Reflect.get(holder, TIME_LEFT)
    if (typeof left === 'function') return Math.max(Number(left()) - MARGIN_MS, 1)
  }
  return Infinity
}
