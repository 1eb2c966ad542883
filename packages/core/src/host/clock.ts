/**
 * Real clock and timers, captured when the package is loaded, so that fake timers of a test do not affect its machines.
 */

/** Monotonic clock, milliseconds. */
export const now: () => number = performance.now.bind(performance)

/** Milliseconds since 1970 at which {@link now} is 0. */
export const timeOrigin: number = performance.timeOrigin

/** Current time of the host, milliseconds since 1970. */
export const wallClock: () => number = Date.now.bind(Date)

const { setTimeout } = globalThis
export const stopTimer: typeof globalThis.clearTimeout = globalThis.clearTimeout

const { setImmediate } = globalThis

/** Longest delay of a timer, milliseconds: 24.8 days. */
export const LONGEST_TIMER: number = 2 ** 31 - 1

/** Calls `job` after a time, at most {@link LONGEST_TIMER}. A timer of Node with a longer delay would fire at once. */
export function startTimer(job: () => void, milliseconds: number): NodeJS.Timeout {
  return setTimeout(job, Math.min(milliseconds, LONGEST_TIMER))
}

/**
 * Calls `job` after data that has already arrived was read. In a busy process, timers fire before sockets are read, so
 * an expired timer does not prove that nothing has arrived.
 */
export function afterReading(job: () => void): void {
  setImmediate(job)
}
