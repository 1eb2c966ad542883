/**
 * How much time the running test has left. A runner does not tell: it would end a test in the middle of a wait and say
 * only that the test was too slow. Whoever knows when the test began leaves the answer on the task, under a registered
 * symbol, so that two copies of this package agree.
 */

/** Key of the function on a task that returns the test’s remaining time in milliseconds; Infinity without a limit. */
export const TIME_LEFT: unique symbol = Symbol.for('coldboot.timeLeft') as typeof TIME_LEFT

/** A wait must end this long before the test does, so that its own message is the one that is shown. Milliseconds. */
export const MARGIN_MS = 100

/** Milliseconds a wait may take at most; Infinity when nobody knows. */
export function timeLeft(task: object | undefined): number {
  const left: unknown = task && Reflect.get(task, TIME_LEFT)
  return typeof left === 'function' ? Math.max(Number(left()) - MARGIN_MS, 1) : Infinity
}
