import { ExpectError } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { eventfulMachine, OOPS, PANIC, POWERED_OFF, STUCK } from '../test/eventful-machine.ts'
import { contextOf } from '../test/scripted-machine.ts'
import { pendingOn } from './pending-matchers.ts'
import { type ExitOptions, toExit } from './to-exit.ts'

const RESET = { ...POWERED_OFF, reason: 'guest-reset' } as const

function exiting(options?: ExitOptions, context: Parameters<typeof contextOf>[0] = {}) {
  const machine = eventfulMachine()
  return { ...machine, result: toExit.call(contextOf(context), machine.vm, options) }
}

describe('toExit', () => {
  test('passes when the machine ends', async () => {
    const { ends, result } = exiting()
    ends()
    expect(await result).toMatchObject({ pass: true })
  })

  test('compares only the given options, and returns both sides for the diff', async () => {
    const { ends, result } = exiting({ code: 33 })
    ends()
    const { message, ...rest } = await result
    expect(rest).toEqual({ pass: false, expected: { code: 33 }, actual: { code: 0 } })
    expect(message()).toMatch(
      /^vm\.toExit\(\{ code: 33 \}\)\n\n"box" ended, but not as expected: the guest powered off/,
    )
    expect(message()).toContain('isa-debug-exit')
  })

  test('compares `code` with the signal that killed QEMU', async () => {
    const { ends, result } = exiting({ code: 0 })
    ends({ ...POWERED_OFF, reason: 'qemu-killed', exitCode: undefined, signal: 'SIGKILL' })
    expect(await result).toMatchObject({ pass: false, actual: { code: 'SIGKILL' } })
  })

  test('fails at the end of the window', async () => {
    const { message, pass } = await exiting({ timeout: 1 }).result
    expect([pass, message()]).toEqual([false, expect.stringContaining('"box" did not end within 1 ms\n')])
  })

  test('fails at once for a machine whose power the test has cut', async () => {
    const { vm } = eventfulMachine()
    const { message, pass } = await toExit.call(contextOf(), Object.assign(vm, { state: 'off' }))
    expect([pass, message()]).toEqual([false, expect.stringMatching(/the test has cut its power\n.*`powerOn\(\)`/)])
  })

  test('states that the CPUs are paused', async () => {
    const { vm } = eventfulMachine()
    const { message } = await toExit.call(contextOf(), Object.assign(vm, { isPaused: true }), { timeout: 1 })
    expect(message()).toMatch(/did not end within 1 ms: its CPUs are paused\n.*`unpause\(\)`/)
  })

  test('fails at once when the guest panics and halts', async () => {
    const { meets, result } = exiting()
    meets(STUCK)
    const { pass, message } = await result
    expect(pass).toBe(false)
    expect(message()).toContain('"box" panicked: Kernel panic - not syncing: no init\nThe machine did not end.\n')
    expect(message()).toContain('`panic=-1`')
  })

  test('fails for a panic before the call', async () => {
    const { vm, meets } = eventfulMachine()
    meets(STUCK)
    expect(await toExit.call(contextOf(), vm)).toMatchObject({ pass: false })
  })

  test.for([
    [{}, false],
    [{ code: 0 }, false],
    [{ reason: 'guest-reset' }, true],
  ] as const)('after a panic that ends the machine, %o passes: %s', async ([options, passes]) => {
    const { meets, ends, result } = exiting(options)
    meets(PANIC)
    ends(RESET)
    const { pass, message } = await result
    expect(pass).toBe(passes)
    expect(message().includes("`toExit({ reason: 'guest-reset' })`")).toBe(!passes)
  })

  test('fails for other failures of the guest, except for allowed ones', async () => {
    const failed = exiting()
    failed.meets(OOPS)
    expect((await failed.result).message()).toContain('"box" failed: Oops: 0000\n')
    const allowed = exiting()
    allowed.meets({ ...STUCK, allowed: true })
    allowed.ends()
    expect(await allowed.result).toMatchObject({ pass: true })
  })

  test.for([{ exitCode: 1 }, { code: 1.5 }, { reason: 1 }, { reason: 'shutdown' }, { timeout: 0 }, { timeout: '1' }])(
    'refuses %o',
    async (options) => {
      const code = expect.stringMatching(/^(INVALID|UNKNOWN)_OPTION$/)
      await expect(exiting(options as ExitOptions).result).rejects.toMatchObject({ code })
    },
  )

  test('is pending until it settles, and never settles after the end of the test', async () => {
    const { vm, ends, abort, result } = exiting({ code: 0 })
    const named = { ...vm, pendingWaits: [], pendingCalls: [] }
    expect(pendingOn(Object.assign(vm, { pendingWaits: [], pendingCalls: [] }))).toEqual([
      {
        what: '`vm.toExit({ code: 0 })` was still waiting for "box"',
        location: expect.stringContaining('to-exit.test.ts:'),
      },
    ])
    expect(pendingOn(named)).toEqual([])
    ends()
    await result
    expect(pendingOn(Object.assign(vm, { pendingWaits: [], pendingCalls: [] }))).toEqual([])
    const over = exiting()
    over.abort(new ExpectError('TEST_ENDED', 'over'))
    abort(undefined)
    const later = new Promise((resolve) => setImmediate(() => resolve('pending')))
    expect(await Promise.race([over.result, later])).toBe('pending')
  })

  test('rejects with the timeout message when the test times out', async () => {
    const { abort, result } = exiting()
    abort(new ExpectError('TEST_TIMEOUT', 'Test timed out in 5 ms'))
    await expect(result).rejects.toMatchObject({
      code: 'EXPECT_ABORTED',
      message: expect.stringContaining('Test timed out in 5 ms'),
    })
  })
})

describe('.not.toExit', () => {
  const not = { isNot: true }

  test('passes if the machine does not end in the whole window', async () => {
    expect(await exiting({ timeout: 1 }, not).result).toMatchObject({ pass: false })
  })

  test('fails when the machine ends, unless the given options differ', async () => {
    const plain = exiting({}, not)
    plain.ends()
    const { pass, message } = await plain.result
    expect([pass, message()]).toEqual([true, expect.stringContaining('"box" ended: the guest powered off')])
    const other = exiting({ code: 33 }, not)
    other.ends()
    expect(await other.result).toMatchObject({ pass: false })
  })

  test('does not pass when the guest panics', async () => {
    const { meets, result } = exiting({}, not)
    meets(STUCK)
    await expect(result).rejects.toMatchObject({ code: 'GUEST_PANICKED' })
  })
})
