import { type ErrorCode, ExpectError, type ExpectOptions, type Match, type PatternInput } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { type BootOptions, toBoot } from './to-boot.ts'

interface Boot {
  readonly ready?: string | undefined
  /** What the wait for `ready` ends with. Undefined: it goes on. */
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
  test('passes when the machine becomes ready, by the machine’s own wait', async () => {
    const { vm, asked } = booting({ outcome: MATCH })
    expect(await toBoot.call(contextOf(), vm)).toMatchObject({ pass: true })
    expect(asked).toEqual([])
  })

  test('passes at once for what was printed before', async () => {
    const { vm, asked } = booting({ hasPrinted: true })
    expect(await toBoot.call(contextOf(), vm, { until: 'Welcome' })).toMatchObject({ pass: true })
    expect(asked).toEqual([])
  })

  test('waits for a pattern of its own as long as a boot may take', async () => {
    const { vm, asked } = booting({ outcome: MATCH })
    expect(await toBoot.call(contextOf(), vm, { until: 'Welcome' })).toMatchObject({ pass: true })
    expect(asked).toEqual([{ timeout: 60_000 }])
  })

  test.for(['BOOT_TIMEOUT', 'EXPECT_EXITED', 'GUEST_PANICKED'] as const)(
    'fails with the words of %s',
    async (outcome) => {
      const { pass, message } = await judge({ outcome })
      expect([pass, message()]).toEqual([false, expect.stringMatching(/^vm\.toBoot\(\)\n\nIt did not come\n/)])
    },
  )

  test('fails at the end of a shorter window, with how far the boot came', async () => {
    const { pass, message } = await judge({}, { timeout: 1 })
    expect(pass).toBe(false)
    expect(message()).toContain('"box" had not booted after 1 ms: it did not print "login: "\n')
    expect(message()).toContain('Circumstances:\n  boot: seen up to the firmware\n\nEnd of the console:')
  })

  test('ends before the test does, and says that it was cut short', async () => {
    const { message } = await judge({}, {}, { leftMs: 101 })
    expect(message()).toContain('no time left for the whole wait of 60000 ms.\n"box" had not booted after 1 ms')
  })

  test('refuses a machine that has nothing to wait for', async () => {
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

  test('fails when it boots, and when it has', async () => {
    for (const boot of [{ outcome: MATCH }, { hasPrinted: true }]) {
      const { pass, message } = await judge(boot, {}, not)
      expect([pass, message()]).toEqual([true, expect.stringContaining('"box" has booted: it printed "login: "\n')])
    }
  })

  test('has not seen the whole window when it was aborted', async () => {
    await expect(judge({ outcome: 'EXPECT_ABORTED' }, {}, not)).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
  })
})
