export type { GuestTestNotice } from './guest-tests.ts'
export { linuxGuest } from './linux-guest.ts'
export { cleanStacks, explainErrors, framesOf, type ReportedError, userFrames } from './reported-error.ts'
export { TestClock, timeoutError } from './test-clock.ts'
