/** Real time. Taken when the package is loaded: a test that replaces the global timers does not stop its machines. */

/** Milliseconds on a clock that never goes back. */
export const now: () => number = performance.now.bind(performance)

/** Milliseconds since 1970. */
export const wallClock: () => number = Date.now.bind(Date)

export const startTimer: typeof globalThis.setTimeout = globalThis.setTimeout
export const stopTimer: typeof globalThis.clearTimeout = globalThis.clearTimeout

const { setImmediate } = globalThis

/** The longest a timer can run, milliseconds: 24.8 days. */
export const LONGEST_TIMER: number = 2 ** 31 - 1

/**
 * Calls back when what has already arrived was read: a process that was busy or not scheduled sees its timers fire before
 * it reads its sockets, and must not conclude that nothing came.
 */
export function afterReading(job: () => void): void {
  setImmediate(job)
}
