import { ColdbootError, type CommandResult, type ErrorCode, OptionError } from '@coldboot/core'
import { afterReading } from '@coldboot/core/internal'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { eventfulMachine } from '../../test/eventful-machine.ts'
import { contextOf } from '../../test/scripted-machine.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { type HaveFileOptions, toHaveFile } from './to-have-file.ts'

type Content = Parameters<typeof toHaveFile>[2]

/** A guest whose file gets the next content with each wait; undefined means that the file is missing. */
function guest(...contents: readonly (string | Uint8Array | undefined)[]) {
  let now = 0
  const waits: number[] = []
  const { vm } = eventfulMachine()
  const bytes = (): Uint8Array => Buffer.from(contents[now] ?? '')
  const machine = {
    ...vm,
    run: async ([, , script = '']: readonly string[]): Promise<Partial<CommandResult>> => {
      if (script.includes('md5sum')) return { stdout: `sum ${now}\n` }
      return { stdout: contents[now] === undefined ? 'missing\n\n/tmp\na\nb\n' : 'file\n' }
    },
    readFile: async () => bytes(),
    waitUntil: async (_command: unknown, { timeout = 0 }: { timeout?: number }) => {
      waits.push(timeout)
      if (now + 1 < contents.length) now++
      else throw new ColdbootError('WAIT_TIMEOUT', 'in vain')
    },
  }
  return { vm: machine as unknown as MatcherVM, waits }
}

function failing(code: ErrorCode): MatcherVM {
  const { vm } = guest('x')
  return { ...vm, readFile: () => Promise.reject(new ColdbootError(code, 'It was refused')) }
}

const judge = (vm: MatcherVM, content?: Content, options?: HaveFileOptions, isNot = false) =>
  toHaveFile.call(contextOf({ isNot }), vm, '/tmp/file', content, options)

describe('toHaveFile', () => {
  test.for<[found: string | Uint8Array | undefined, content: Content, pass: boolean]>([
    ['x', undefined, true],
    [undefined, undefined, false],
    ['one\n', 'one', true],
    ['one', 'one\n', true],
    ['one\n\n', 'one', false],
    ['one\ntwo\n', /^two$/m, true],
    ['one', /two/g, false],
    [Uint8Array.of(1, 2), Uint8Array.of(1, 2), true],
    ['one\n', Buffer.from('one'), false],
  ])('checks a file with %j once for %s: %s', async ([found, content, pass]) => {
    const { vm, waits } = guest(found)
    expect(await judge(vm, content)).toMatchObject({ pass })
    expect(waits).toEqual([])
  })

  test('lists the directory of a missing file', async () => {
    const { message } = await judge(guest(undefined).vm)
    expect(message()).toMatch(/^vm\.toHaveFile\("\/tmp\/file"\)\n\n"box" has no file \/tmp\/file\n.*`\{ timeout \}`/)
    expect(message()).toContain('Content of /tmp:\n  a\n  b\n')
  })

  test('returns both texts or both hex dumps for the diff', async () => {
    expect(await judge(guest('one\n').vm, 'two\n')).toMatchObject({ expected: 'two', actual: 'one' })
    const { message, expected, actual } = await judge(guest(Uint8Array.of(1, 2, 0x41)).vm, Uint8Array.of(1, 3))
    expect(message()).toContain('3 bytes, expected 2; the first difference is at byte 1\n')
    expect(String(expected)).toMatch(/^00000000 {2}01 03 +\.\.$/)
    expect(String(actual)).toMatch(/^00000000 {2}01 02 41 +\.\.A$/)
  })

  test('waits within its window through several changes of the file', async () => {
    const { vm, waits } = guest(undefined, 'o', 'one')
    expect(await judge(vm, 'one', { timeout: 5_000 })).toMatchObject({ pass: true })
    expect(waits).toHaveLength(2)
    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000)
    const { message, pass } = await judge(guest(undefined, 'o').vm, 'one', { timeout: 5_000 })
    expect([pass, message()]).toEqual([
      false,
      expect.stringContaining('does not have the expected content within 5.0 s\n'),
    ])
  })

  test('ends at its timeout also with fake timers', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { vm } = guest(undefined)
    // The guest reports a change each time, and the file is missing each time.
    const changing = { ...vm, waitUntil: () => new Promise<void>(afterReading) } as unknown as MatcherVM
    expect(await judge(changing, undefined, { timeout: 5 })).toMatchObject({ pass: false })
  })

  test('fails with the error message when the file cannot be read', async () => {
    const { pass, message } = await judge(failing('GUEST_FILE_DENIED'), 'x')
    expect([pass, message()]).toEqual([false, expect.stringContaining('\n\nIt was refused\n')])
  })

  test('fails when the file is removed during the check', async () => {
    expect(await judge(failing('GUEST_FILE_MISSING'), 'x')).toMatchObject({ pass: false })
  })

  test('refuses bad arguments, and rethrows option errors of the machine', async () => {
    const { vm } = guest('x')
    const refused = (...args: readonly unknown[]) =>
      expect(Reflect.apply(toHaveFile, contextOf(), [vm, ...args])).rejects.toBeInstanceOf(OptionError)
    await refused('relative')
    await refused(undefined)
    await refused('/a', 1)
    await refused('/a', { timeout: 1 })
    await refused('/a', 'x', { withn: 1 })
    await refused('/a', 'x', { timeout: -1 })
    await expect(judge(failing('INVALID_OPTION'), 'x')).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('.not.toHaveFile', () => {
  test('passes when the file is missing, with `timeout` for the whole window', async () => {
    expect(await judge(guest(undefined).vm, undefined, {}, true)).toMatchObject({ pass: false })
    const { vm, waits } = guest(undefined)
    expect(await judge(vm, undefined, { timeout: 5_000 }, true)).toMatchObject({ pass: false })
    expect(waits).toHaveLength(1)
  })

  test('fails when the file appears', async () => {
    const { pass, message } = await judge(guest(undefined, 'x').vm, 'x', { timeout: 5_000 }, true)
    expect([pass, message()]).toEqual([
      true,
      expect.stringContaining('"box" has the file /tmp/file, with that content\n'),
    ])
  })

  test('does not pass when the file cannot be read', async () => {
    const denied = judge(failing('GUEST_FILE_DENIED'), 'x', {}, true)
    await expect(denied).rejects.toMatchObject({ code: 'GUEST_FILE_DENIED' })
  })
})
