import { expect, test } from 'vitest'
import { describeExit, exitStatusOf } from './exit-status.ts'

const shutdown = { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-panic' }, timestamp: 0 }

test('takes the reason from the event of QEMU', () => {
  expect(exitStatusOf({ code: 0, signal: undefined }, shutdown, '').reason).toBe('guest-panic')
  expect(exitStatusOf({ code: undefined, signal: 'SIGKILL' }, shutdown, '').reason).toBe('guest-panic')
})

test('without an event, exit code 0 is a power-off, another code a failure, and a signal a kill', () => {
  expect(exitStatusOf({ code: 0, signal: undefined }, undefined, '').reason).toBe('guest-shutdown')
  expect(exitStatusOf({ code: 1, signal: undefined }, undefined, '').reason).toBe('qemu-failed')
  expect(exitStatusOf({ code: undefined, signal: 'SIGKILL' }, undefined, '').reason).toBe('qemu-killed')
})

test('explains SIGKILL, also if the guard shell passes it on as an exit code', () => {
  for (const exit of [
    { code: undefined, signal: 'SIGKILL' },
    { code: 137, signal: undefined },
  ] as const) {
    const status = exitStatusOf(exit, undefined, '')
    expect(status.reason).toBe('qemu-killed')
    expect(describeExit(status)).toMatch(/^QEMU was killed \(.*\), for example by the kernel when .* out of memory\./)
  }
  expect(describeExit(exitStatusOf({ code: undefined, signal: 'SIGSEGV' }, undefined, ''))).not.toContain('memory')
})

test('names a lost connection, for which QEMU was killed', () => {
  const status = exitStatusOf({ code: undefined, signal: 'SIGKILL' }, 'console-lost', '')
  expect(describeExit(status)).toBe('the connection to its console was lost while QEMU was running (signal SIGKILL)')
})

test('omits the warning of QEMU about arguments of this project', () => {
  const warning = `qemu-system-x86_64: -mon chardev=qmp,mode=control: warning: '-mon' is deprecated, use '-object'\n`
  expect(exitStatusOf({ code: 0, signal: undefined }, undefined, warning).stderr).toBe('')
  const error = 'qemu-system-x86_64: warning: old\nqemu-system-x86_64: no such device\n'
  expect(exitStatusOf({ code: 1, signal: undefined }, undefined, warning + error).stderr).toBe(error)
})
