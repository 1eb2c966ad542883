import { ExpectError } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import type { MatcherResult } from './matcher-context.ts'
import { type EventuallyPrintOptions, toEventuallyPrint } from './to-eventually-print.ts'

type Script = Parameters<typeof scriptedMachine>[0]
type Context = Parameters<typeof contextOf>[0]

/** What the matcher says, and what it asked the machine for. */
async function run(
  script: Script,
  options?: EventuallyPrintOptions,
  context: Context = {},
  timeoutMultiplier = 1,
): Promise<MatcherResult & { asked: unknown }> {
  const { vm, calls } = scriptedMachine(script, { timeoutMultiplier })
  const result = await toEventuallyPrint.call(contextOf(context), vm, 'login: ', options)
  return { ...result, asked: calls[0]?.[1] }
}

describe('toEventuallyPrint', () => {
  test('passes when the machine prints it', async () => {
    expect(await run({ match: MATCH })).toMatchObject({ pass: true, asked: { timeout: 7_000 } })
  })

  test.for(['EXPECT_TIMEOUT', 'EXPECT_EXITED', 'EXPECT_ABORTED', 'GUEST_PANICKED'] as const)(
    'fails with the words of %s',
    async (code) => {
      const { pass, message } = await run({ code })
      expect(pass).toBe(false)
      expect(message()).toMatch(/^vm\.toEventuallyPrint\("login: "\)\n\nIt did not come\n/)
    },
  )

  test('passes other options on', async () => {
    expect(await run({ match: MATCH }, { timeout: 50, view: 'raw' })).toMatchObject({
      asked: { timeout: 50, view: 'raw' },
    })
    expect(await run({ match: MATCH }, { timeout: 60 })).toMatchObject({ asked: { timeout: 60 } })
  })

  test('passes mistakes in the call on as they are', async () => {
    await expect(run({ code: 'PATTERN_TOO_SLOW' })).rejects.toMatchObject({ code: 'PATTERN_TOO_SLOW' })
    await expect(run({ other: new TypeError('a bug') })).rejects.toThrow('a bug')
  })

  test('ends before the test does, and says that it was cut short', async () => {
    const { asked, message } = await run({ code: 'EXPECT_TIMEOUT' }, {}, { leftMs: 3_100 })
    expect(asked).toEqual({ timeout: 3_000 })
    expect(message()).toContain('no time left for the whole wait of 7000 ms')
  })

  test('counts the test’s time after the multiplier, and its own before', async () => {
    const { asked, message } = await run({ code: 'EXPECT_TIMEOUT' }, {}, { leftMs: 3_100 }, 2)
    expect(asked).toEqual({ timeout: 1_500 })
    expect(message()).toContain('the whole wait of 14000 ms')
  })

  test('waits as long as it was told when the test has the time', async () => {
    const { asked, message } = await run({ code: 'EXPECT_TIMEOUT' }, { timeout: 500 }, { leftMs: 3_100 })
    expect(asked).toEqual({ timeout: 500 })
    expect(message()).not.toContain('no time left')
  })

  test('never settles when the test has ended: nobody awaits it', async () => {
    const cause = new ExpectError('TEST_ENDED', 'over')
    const settled = run({ code: 'EXPECT_ABORTED', cause }).then(() => 'settled')
    const later = new Promise((resolve) => setImmediate(() => resolve('pending')))
    expect(await Promise.race([settled, later])).toBe('pending')
  })
})

describe('.not.toEventuallyPrint', () => {
  const not = { isNot: true }

  test.for(['EXPECT_TIMEOUT', 'EXPECT_EXITED'] as const)('passes on %s', async (code) => {
    expect(await run({ code }, {}, not)).toMatchObject({ pass: false, asked: { timeout: 1_000 } })
  })

  test('fails when the machine prints it, and shows the console', async () => {
    const { pass, message } = await run({ match: MATCH }, { timeout: 300 }, not)
    expect(pass).toBe(true)
    expect(message()).toMatch(/^vm\.not\.toEventuallyPrint\("login: "\)\n\n"box" printed "login: "\n/)
    expect(message()).toContain('End of the console:\n  Debian GNU/Linux\n')
  })

  test('has not seen the whole window when it was aborted', async () => {
    await expect(run({ code: 'EXPECT_ABORTED' }, {}, not)).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
  })

  test('does not pass because the guest panicked', async () => {
    await expect(run({ code: 'GUEST_PANICKED' }, {}, not)).rejects.toMatchObject({ code: 'GUEST_PANICKED' })
  })

  test('rejects a window longer than what the test has left', async () => {
    const result = run({ code: 'EXPECT_TIMEOUT' }, { timeout: 3_001 }, { ...not, leftMs: 3_100 })
    await expect(result).rejects.toMatchObject({
      code: 'TEST_TIMEOUT',
      message: expect.stringContaining('3000 ms left'),
    })
    expect(await run({ code: 'EXPECT_TIMEOUT' }, { timeout: 3_000 }, { ...not, leftMs: 3_100 })).toMatchObject({
      pass: false,
    })
  })
})
