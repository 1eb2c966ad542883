/** Replacement of `host/clock.ts` for tests that use fake timers: it looks up the global functions at each call. */
import type * as clock from '../src/host/clock.ts'

type Clock = typeof clock

/** Use it in the factory of `vi.mock(import('…/host/clock.ts'), …)`. */
export const FAKEABLE_CLOCK: Partial<Clock> = {
  now: () => performance.now(),
  startTimer: (job, milliseconds) => setTimeout(job, milliseconds),
  stopTimer: (timer) => clearTimeout(timer),
}
