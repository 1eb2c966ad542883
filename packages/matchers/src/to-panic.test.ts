import { describe, expect, test } from 'vitest'
import { eventfulMachine, OOPS, PANIC, STUCK } from '../test/eventful-machine.ts'
import { contextOf } from '../test/scripted-machine.ts'
import { type PanicOptions, toPanic } from './to-panic.ts'

function panicking(options?: PanicOptions, context: Parameters<typeof contextOf>[0] = {}) {
  const machine = eventfulMachine()
  return { ...machine, result: toPanic.call(contextOf(context), machine.vm, options) }
}

describe('toPanic', () => {
  test.for([PANIC, STUCK, { ...PANIC, allowed: true }])('passes at a panic', async (incident) => {
    const { meets, result } = panicking({ message: /no init/ })
    meets(OOPS)
    meets(incident)
    expect(await result).toMatchObject({ pass: true })
  })

  test('passes for a panic before the call', async () => {
    const { vm, meets, ends } = eventfulMachine()
    meets(PANIC)
    ends()
    expect(await toPanic.call(contextOf(), vm)).toMatchObject({ pass: true })
  })

  test('searches the message in the line of the panic and the lines after it', async () => {
    for (const message of ['no init', /Call Trace/g, /syncing: no init$/m]) {
      const { meets, result } = panicking({ message })
      meets(PANIC)
      expect(await result).toMatchObject({ pass: true })
    }
    const { meets, result } = panicking({ message: 'sysrq' })
    meets(PANIC)
    expect(await result).toMatchObject({ pass: false, expected: 'sysrq', actual: PANIC.message })
  })

  test('fails when the machine ends without a panic, and reports other failures', async () => {
    const { meets, ends, result } = panicking()
    meets(OOPS)
    ends()
    const { pass, message } = await result
    expect(pass).toBe(false)
    expect(message()).toContain('"box" ended without a panic: the guest powered off (QEMU exit code 0)\n')
    expect(message()).toContain('It failed in another way: Oops: 0000.')
  })

  test('fails at the end of the window', async () => {
    const { pass, message } = await panicking({ timeout: 1 }).result
    expect([pass, message()]).toEqual([false, expect.stringContaining('"box" did not panic within 1 ms\n')])
  })

  test('refuses a `message` that is neither a string nor a regular expression', async () => {
    const options = { message: 1 } as unknown as PanicOptions
    await expect(panicking(options).result).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('.not.toPanic', () => {
  const not = { isNot: true }

  test('passes at the end of the window, and fails at a panic', async () => {
    expect(await panicking({ timeout: 1 }, not).result).toMatchObject({ pass: false })
    const { meets, result } = panicking({}, not)
    meets(PANIC)
    const { pass, message } = await result
    expect([pass, message()]).toEqual([true, expect.stringContaining('What the guest said:\n  Kernel panic - not')])
  })

  test('passes when the machine ends without a panic', async () => {
    const { ends, result } = panicking({}, not)
    ends()
    expect(await result).toMatchObject({ pass: false })
  })

  test('rejects a window longer than the remaining time of the test', async () => {
    await expect(panicking({ timeout: 5_000 }, { ...not, leftMs: 3_000 }).result).rejects.toMatchObject({
      code: 'TEST_TIMEOUT',
    })
  })
})
