/** Real time. Taken when the package is loaded: a test that replaces the global clocks does not change its records. */

/** Milliseconds on a clock that never goes back. */
export const now: () => number = performance.now.bind(performance)

/** Milliseconds since 1970. */
export const today: () => number = Date.now.bind(Date)
