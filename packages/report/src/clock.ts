/** Real clocks, captured when the package is loaded because a test may replace the global ones. */

/** Monotonic time, milliseconds. */
export const now: () => number = performance.now.bind(performance)

/** Milliseconds since 1970. */
export const today: () => number = Date.now.bind(Date)
