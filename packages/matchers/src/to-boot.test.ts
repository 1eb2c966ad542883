import { type ErrorCode, ExpectError, type ExpectOptions, type Match, type PatternInput } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { type BootOptions, toBoot } from './to-boot.ts'

interface Boot {
  readonly ready?: string | undefined
  /** Outcome of the wait for `ready`; undefined if it stays pending. */
  readonly outcome?: Match | ErrorCode
  readonly hasPrinted?: boolean
}

function booting({ ready = 'login: ', outcome, hasPrinted = false }: Boot) {
  const asked: (ExpectOptions | undefined)[] = []
  const settle = async (): Promise<Match> => {
    if (outcome === undefined) return new Promise(() => {})
    if (typeof outcome !== 'string') return outcome
    throw new ExpectError(outcome, 'It did not come')
  }
  const spec = { timeoutMs: 7_000, bootTimeoutMs: 60_000, timeoutMultiplier: 1, accelerator: 'kvm' }
  const vm = {
    ...scriptedMachine({ match: MATCH }).vm,
    output: 'SeaBIOS (version 1.16)\n',
    spec: { ...spec, ready: ready === '' ? undefined : ready },
    hasPrinted: () => (hasPrinted ? MATCH : undefined),
    ready: settle,
    expect: async (_pattern: PatternInput, options?: ExpectOptions) => {
      asked.push(options)
      return settle()
    },
  }
  return { vm: vm as unknown as MatcherVM, asked }
}

const judge = (boot: Boot, options?: BootOptions, context?: Parameters<typeof contextOf>[0]) =>
  toBoot.call(contextOf(context), booting(boot).vm, options)

describe('toBoot', () => {
  test('passes when `vm.ready()` resolves, without an expect', async () => {
    const { vm, asked } = booting({ outcome: MATCH })
    expect(await toBoot.call(contextOf(), vm)).toMatchObject({ pass: true })
    expect(asked).toEqual([])
  })

  test('passes at once if `until` was printed before', async () => {
    const { vm, asked } = booting({ hasPrinted: true })
    expect(await toBoot.call(contextOf(), vm, { until: 'Welcome' })).toMatchObject({ pass: true })
    expect(asked).toEqual([])
  })

  test('waits for `until` within `bootTimeout`', async () => {
    const { vm, asked } = booting({ outcome: MATCH })
    expect(await toBoot.call(contextOf(), vm, { until: 'Welcome' })).toMatchObject({ pass: true })
    expect(asked).toEqual([{ timeout: 60_000 }])
  })

  test.for(['BOOT_TIMEOUT', 'EXPECT_EXITED', 'GUEST_PANICKED'] as const)(
    'fails with the message of %s',
    async (outcome) => {
      const { pass, message } = await judge({ outcome })
      expect([pass, message()]).toEqual([false, expect.stringMatching(/^vm\.toBoot\(\)\n\nIt did not come\n/)])
    },
  )

  test('fails at the end of a shorter window and reports the boot stage', async () => {
    const { pass, message } = await judge({}, { timeout: 1 })
    expect(pass).toBe(false)
    expect(message()).toContain('"box" had not booted after 1 ms: it did not print "login: "\n')
    expect(message()).toContain('Circumstances:\n  boot: reached the firmware\n\nEnd of the console:')
  })

  test('ends before the test times out, and reports the shortened wait', async () => {
    const { message } = await judge({}, {}, { leftMs: 101 })
    expect(message()).toContain('too little time left for the full wait of 60000 ms.\n"box" had not booted after 1 ms')
  })

  test('refuses a machine without `ready` if `until` is not given', async () => {
    await expect(judge({ ready: '' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('toBoot({ until: "login: " })'),
    })
  })
})

describe('.not.toBoot', () => {
  const not = { isNot: true }

  test.for(['EXPECT_TIMEOUT', 'EXPECT_EXITED', 'GUEST_PANICKED', 'GUEST_NOT_BOOTED'] as const)(
    'passes on %s',
    async (outcome) => {
      expect(await judge({ outcome }, {}, not)).toMatchObject({ pass: false })
    },
  )

  test('fails when the machine boots, or has already booted', async () => {
    for (const boot of [{ outcome: MATCH }, { hasPrinted: true }]) {
      const { pass, message } = await judge(boot, {}, not)
      expect([pass, message()]).toEqual([true, expect.stringContaining('"box" has booted: it printed "login: "\n')])
    }
  })

  test('does not pass when it is aborted before the end of the window', async () => {
    await expect(judge({ outcome: 'EXPECT_ABORTED' }, {}, not)).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
  })
})
