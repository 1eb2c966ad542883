/**
 * Real clock and timers, captured when the package is loaded, so that fake timers of a test do not affect its machines.
 */

/** Monotonic clock, milliseconds. */
export const now: () => number = performance.now.bind(performance)

/** Milliseconds since 1970 at the zero of {@link now}. */
export const timeOrigin: number = performance.timeOrigin

/** Milliseconds since 1970. */
export const wallClock: () => number = Date.now.bind(Date)

export const startTimer: typeof globalThis.setTimeout = globalThis.setTimeout
export const stopTimer: typeof globalThis.clearTimeout = globalThis.clearTimeout

const { setImmediate } = globalThis

/** Longest delay of a timer, milliseconds: 24.8 days. */
export const LONGEST_TIMER: number = 2 ** 31 - 1

/**
 * Calls `job` after the data that has already arrived is read. In a busy process, timers fire before its sockets are
 * read, so a timer alone does not prove that nothing arrived.
 */
export function afterReading(job: () => void): void {
  setImmediate(job)
}
