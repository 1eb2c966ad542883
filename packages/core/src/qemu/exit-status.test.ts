import { expect, test } from 'vitest'
import { exitStatusOf } from './exit-status.ts'

const shutdown = { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-panic' }, timestamp: 0 }

test("the reason is what QEMU's event said", () => {
  expect(exitStatusOf({ code: 0, signal: undefined }, shutdown, '').reason).toBe('guest-panic')
  expect(exitStatusOf({ code: undefined, signal: 'SIGKILL' }, shutdown, '').reason).toBe('guest-panic')
})

test("without an event, success is the guest's own end, a status a failure, and a signal a kill", () => {
  expect(exitStatusOf({ code: 0, signal: undefined }, undefined, '').reason).toBe('guest-shutdown')
  expect(exitStatusOf({ code: 1, signal: undefined }, undefined, '').reason).toBe('qemu-failed')
  expect(exitStatusOf({ code: undefined, signal: 'SIGKILL' }, undefined, '').reason).toBe('qemu-killed')
})
