import { type ErrorCode, type FailedCommand, GuestCommandError, OptionError } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { eventfulMachine } from '../test/eventful-machine.ts'
import { contextOf } from '../test/scripted-machine.ts'
import { type ToRunOptions, toRun, toRunSuccessfully } from './to-run.ts'

type Outcome = Parameters<typeof eventfulMachine>[0]

function running(outcome: Outcome, options?: ToRunOptions, context: Parameters<typeof contextOf>[0] = {}) {
  return toRun.call(contextOf(context), eventfulMachine(outcome).vm, 'ls /a', options)
}

function commandError(code: ErrorCode): GuestCommandError {
  const facts: FailedCommand = { command: 'ls', machine: 'box', via: 'shell', duration: 1 }
  return new GuestCommandError(code, 'It did not end', facts)
}

describe('toRun', () => {
  test.for<[Outcome, ToRunOptions]>([
    [{}, {}],
    [{ exitCode: 2 }, { exitCode: 2 }],
    [{ stdout: 'a\nb\n' }, { stdout: 'a\nb' }],
    [{ stdout: 'a\nb' }, { stdout: 'a\nb\n' }],
    [
      { stdout: 'a\nb\n', stderr: 'no' },
      { stdout: /b/g, stderr: /^no$/ },
    ],
  ])('%o passes for %o', async ([outcome, options]) => {
    expect(await running(outcome, options)).toMatchObject({ pass: true })
  })

  test('fails for another exit code, with both outputs', async () => {
    const { message, ...rest } = await running({ exitCode: 1, stdout: 'out\n', stderr: 'err\n' })
    expect(rest).toEqual({ pass: false, expected: { exitCode: 0 }, actual: { exitCode: 1 } })
    expect(message()).toMatch(
      /^vm\.toRun\("ls \/a"\)\n\nThe command `ls \/a` in "box" ended with exit code 1, not 0\n[^\n]*\n\nStandard error:\n {2}err\n\nStandard output:\n {2}out/,
    )
  })

  test.for([
    [126, 'may not run the file'],
    [127, 'does not find a command'],
    [139, 'the signal SIGSEGV ended the command'],
    [200, 'a signal ended the command: 72'],
  ] as const)('explains exit code %i', async ([exitCode, words]) => {
    expect((await running({ exitCode })).message()).toContain(words)
  })

  test('states that a busybox guest lacks programs of a distribution', async () => {
    const { message } = await running({ exitCode: 127, stderr: 'sh: systemctl: not found\n' })
    expect(message()).toContain('The guest has no `systemctl`')
    expect(message()).toContain('docs/stock-images.md')
  })

  test('fails for another output, and leaves its diff to the test runner', async () => {
    const { message, ...rest } = await running({ stdout: 'a\n', stderr: 'warned\n' }, { stdout: 'b\n' })
    expect(rest).toEqual({ pass: false, expected: 'b', actual: 'a' })
    expect(message()).toContain('Standard error:\n  warned')
    expect(message()).not.toContain('Standard output:')
    expect(await running({ stderr: 'a' }, { stderr: /b/ })).toMatchObject({ pass: false, expected: /b/, actual: 'a' })
  })

  test('prints the diff itself if the test runner does not', async () => {
    const context = { ...contextOf(), printsDiff: false }
    const { message } = await toRun.call(context, eventfulMachine({ exitCode: 1 }).vm, 'false')
    expect(message()).toContain('not 0\n')
    expect(message()).toContain('Difference:\n  {"exitCode":0} → {"exitCode":1}\n\nEnd of the console:')
    const other = await toRun.call(context, eventfulMachine({ stdout: 'a\nb\n' }).vm, 'ls', { stdout: /c/ })
    expect(other.message()).toContain('Difference:\n  Expected: /c/\n  Received: a\n  b\n\n')
  })

  test('fails with the error message when the command does not end', async () => {
    const { message } = await running(commandError('COMMAND_TIMEOUT'), {}, { leftMs: 3_100 })
    expect(message()).toContain('too little time left for the full wait of 7000 ms.\nIt did not end\n')
    expect(message()).toContain('Raise `timeout` only if')
  })

  test('rethrows errors of a bad call', async () => {
    await expect(running(new OptionError('INVALID_OPTION', 'no'))).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(running(new TypeError('a bug'))).rejects.toThrow('a bug')
    const options = { stdout: ['a'] } as unknown as ToRunOptions
    await expect(running({}, options)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('.not.toRunSuccessfully', () => {
  const judge = (outcome: Outcome) =>
    toRunSuccessfully.call(contextOf({ isNot: true }), eventfulMachine(outcome).vm, ['ls', '/a b'])

  test('passes for another exit code, and fails for 0', async () => {
    expect(await judge({ exitCode: 1 })).toMatchObject({ pass: false })
    const { pass, message } = await judge({})
    expect([pass, message()]).toEqual([
      true,
      expect.stringMatching(/^vm\.not\.toRunSuccessfully\(\["ls", "\/a b"\]\)\n\n.*although it must not\n/),
    ])
  })

  test('does not pass when the command does not end', async () => {
    await expect(judge(commandError('COMMAND_TIMEOUT'))).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT' })
  })
})
