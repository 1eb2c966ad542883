import { ExpectError } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import type { MatcherResult } from './matcher-context.ts'
import { type EventuallyPrintOptions, toEventuallyPrint } from './to-eventually-print.ts'

type Script = Parameters<typeof scriptedMachine>[0]
type Context = Parameters<typeof contextOf>[0]

/** The result of the matcher, and the options that it passed to `vm.expect`. */
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
  test('passes when the machine prints the pattern', async () => {
    expect(await run({ match: MATCH })).toMatchObject({ pass: true, asked: { timeout: 7_000 } })
  })

  test.for(['EXPECT_TIMEOUT', 'EXPECT_EXITED', 'EXPECT_ABORTED', 'GUEST_PANICKED'] as const)(
    'fails with the message of %s',
    async (code) => {
      const { pass, message } = await run({ code })
      expect(pass).toBe(false)
      expect(message()).toMatch(/^vm\.toEventuallyPrint\("login: "\)\n\nIt did not come\n/)
    },
  )

  test('passes its options to `vm.expect`', async () => {
    expect(await run({ match: MATCH }, { timeout: 50, view: 'raw' })).toMatchObject({
      asked: { timeout: 50, view: 'raw' },
    })
    expect(await run({ match: MATCH }, { timeout: 60 })).toMatchObject({ asked: { timeout: 60 } })
  })

  test('rethrows errors of a bad call', async () => {
    await expect(run({ code: 'PATTERN_TOO_SLOW' })).rejects.toMatchObject({ code: 'PATTERN_TOO_SLOW' })
    await expect(run({ other: new TypeError('a bug') })).rejects.toThrow('a bug')
  })

  test('ends before the test times out, and reports the shortened wait', async () => {
    const { asked, message } = await run({ code: 'EXPECT_TIMEOUT' }, {}, { leftMs: 3_100 })
    expect(asked).toEqual({ timeout: 3_000 })
    expect(message()).toContain('too little time left for the full wait of 7000 ms')
  })

  test('applies the timeout multiplier to its window, but not to the time limit of the test', async () => {
    const { asked, message } = await run({ code: 'EXPECT_TIMEOUT' }, {}, { leftMs: 3_100 }, 2)
    expect(asked).toEqual({ timeout: 1_500 })
    expect(message()).toContain('the full wait of 14000 ms')
  })

  test('waits for its whole `timeout` if the test has enough time left', async () => {
    const { asked, message } = await run({ code: 'EXPECT_TIMEOUT' }, { timeout: 500 }, { leftMs: 3_100 })
    expect(asked).toEqual({ timeout: 500 })
    expect(message()).not.toContain('time left')
  })

  test('never settles after the end of the test', async () => {
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

  test('fails when the machine prints the pattern, and shows the console', async () => {
    const { pass, message } = await run({ match: MATCH }, { timeout: 300 }, not)
    expect(pass).toBe(true)
    expect(message()).toMatch(/^vm\.not\.toEventuallyPrint\("login: "\)\n\n"box" printed "login: "\n/)
    expect(message()).toContain('End of the console:\n  Debian GNU/Linux\n')
  })

  test('does not pass when it is aborted before the end of the window', async () => {
    await expect(run({ code: 'EXPECT_ABORTED' }, {}, not)).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
  })

  test('does not pass when the guest panics', async () => {
    await expect(run({ code: 'GUEST_PANICKED' }, {}, not)).rejects.toMatchObject({ code: 'GUEST_PANICKED' })
  })

  test('rejects a window longer than the remaining time of the test', async () => {
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
