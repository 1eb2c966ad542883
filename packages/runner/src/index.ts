export { type AttemptHost, AttemptMachines } from './attempt-machines.ts'
export type { GuestTestNotice } from './guest-tests.ts'
export { cleanStacks, explainErrors, framesOf, type ReportedError, userFrames } from './reported-error.ts'
export { TestClock, timeoutError } from './test-clock.ts'
