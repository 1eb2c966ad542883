/**
 * Remaining time of the running test. A wait that ends before the test's time limit can explain the failure, while the runner
 * only reports a timeout. Test runners do not provide the remaining time, so the package of each runner stores a function on the
 * task, or on the machine if the runner has no task. The key is a registered symbol, the same in all copies of this package.
 */

/** Key of a function that returns the remaining time of the test in milliseconds; Infinity without a limit. */
export const TIME_LEFT: unique symbol = Symbol.for('coldboot.timeLeft') as typeof TIME_LEFT

/** A wait ends this long before the time limit of the test, so that its own message is reported. Milliseconds. */
export const MARGIN_MS = 100

/**
 * Longest time that a wait may take, milliseconds; Infinity if unknown.
 * @param holders objects that may have the function; the first one that has it is used
 */
export function timeLeft(...holders: readonly (object | undefined)[]): number {
  for (const holder of holders) {
    const left: unknown = holder && Reflect.get(holder, TIME_LEFT)
    if (typeof left === 'function') return Math.max(Number(left()) - MARGIN_MS, 1)
  }
  return Infinity
}
