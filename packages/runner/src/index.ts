export { type AttemptHost, AttemptMachines } from './attempt-machines.ts'
export type { GuestTestNotice } from './guest-tests.ts'
export { explainErrors, framesOf, type ReportedError, theirFrames, tidyErrors } from './reported-error.ts'
export { TestClock, timeoutError } from './test-clock.ts'
