import type { Match } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../../test/scripted-machine.ts'
import type { MatcherContext, MatcherResult } from '../matcher-context.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { type BootLogOptions, toMatchBootLog } from './to-match-boot-log.ts'

const LOG = '[    0.100000] Linux version 6.1.0\n[    0.200000] Run /init\n'
const BOOTED: Match = { ...MATCH, before: LOG, text: 'login: ' }

function booted(ready?: string): MatcherVM {
  const { vm } = scriptedMachine({ match: BOOTED })
  const spec = { timeoutMs: 7_000, bootTimeoutMs: 60_000, timeoutMultiplier: 1, ready }
  return { ...vm, output: `${LOG}login: root\n`, spec, ready: async () => BOOTED } as unknown as MatcherVM
}

/** A context whose `toMatchSnapshot` records its arguments and returns `answer`. */
function snapshots(answer: MatcherResult = { pass: true, message: () => '' }) {
  const asked: [received: string, hint: string | undefined][] = []
  const context: MatcherContext = {
    ...contextOf(),
    toMatchSnapshot: (received, hint) => {
      asked.push([received, hint])
      return answer
    },
  }
  return { context, asked }
}

describe('toMatchBootLog', () => {
  test.for<[what: string, ready: string | undefined, options: BootLogOptions, log: string]>([
    ['up to `ready`', 'login: ', {}, '[<time>] Linux version <version>\n[<time>] Run /init\nlogin:'],
    [
      'up to another pattern',
      undefined,
      { until: 'login: ' },
      '[<time>] Linux version <version>\n[<time>] Run /init\nlogin:',
    ],
    ['up to now', undefined, {}, '[<time>] Linux version <version>\n[<time>] Run /init\nlogin: root'],
    ['from a pattern on', 'login: ', { from: /Run/g }, 'Run /init\nlogin:'],
    ['with details', 'login: ', { keep: ['versions'] }, '[<time>] Linux version 6.1.0\n[<time>] Run /init\nlogin:'],
  ])('passes the log %s to `toMatchSnapshot`', async ([, ready, options, log]) => {
    const { context, asked } = snapshots()
    expect(await toMatchBootLog.call(context, booted(ready), { ...options, hint: 'first' })).toMatchObject({
      pass: true,
    })
    expect(asked).toEqual([[log, 'first']])
  })

  test('fails with the message and the diff of `toMatchSnapshot`', async () => {
    const { context } = snapshots({
      pass: false,
      message: () => 'Snapshot `x 1` mismatched',
      actual: 'a',
      expected: 'b',
    })
    const { message, ...rest } = await toMatchBootLog.call(context, booted('login: '))
    expect(rest).toEqual({ pass: false, actual: 'a', expected: 'b' })
    expect(message()).toMatch(
      /^vm\.toMatchBootLog\(\)\n\nThe boot log of "box" does not match its snapshot\n.*`-u`.*\n\nSnapshot `x 1` mism/,
    )
  })

  test('fails if the log does not contain `from`', async () => {
    const { context, asked } = snapshots()
    const { pass, message } = await toMatchBootLog.call(context, booted('login: '), { from: 'systemd' })
    expect([pass, message()]).toEqual([
      false,
      expect.stringContaining('"box" booted without printing "systemd", the start'),
    ])
    expect(asked).toEqual([])
  })

  test('refuses `.not`, bad options, and a runner without snapshots', async () => {
    const code = 'INVALID_OPTION'
    const { context, asked } = snapshots()
    await expect(toMatchBootLog.call(contextOf(), booted())).rejects.toMatchObject({ code })
    await expect(toMatchBootLog.call({ ...context, isNot: true }, booted())).rejects.toMatchObject({ code })
    const options = { keep: ['all'] } as unknown as BootLogOptions
    await expect(toMatchBootLog.call(context, booted(), options)).rejects.toMatchObject({ code })
    expect(asked).toEqual([])
  })
})
