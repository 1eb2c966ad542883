import { ExpectError, type ExpectOptions, type Match, type PatternInput } from '@coldboot/core'
import { now } from '@coldboot/core/internal'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { type PrintInOrderOptions, toPrintInOrder } from './to-print-in-order.ts'

/** A machine that has printed these lines and prints nothing else. */
function printing(lines: readonly string[], code: 'EXPECT_TIMEOUT' | 'GUEST_PANICKED' = 'EXPECT_TIMEOUT') {
  const output = lines.map((line) => `${line}\n`).join('')
  const asked: (ExpectOptions | undefined)[] = []
  let cursor = 0
  const find = (pattern: PatternInput, from: number): Match | undefined => {
    const starts = [pattern].flat().map((one) => output.indexOf(String(one), from))
    const start = Math.min(...starts.filter((at) => at >= 0))
    if (start === Infinity) return undefined
    const text = String([pattern].flat()[starts.indexOf(start)])
    return { ...MATCH, text, before: output.slice(from, start) }
  }
  const vm = {
    ...scriptedMachine({ match: MATCH }).vm,
    output,
    hasPrinted: (pattern: PatternInput) => find(pattern, 0),
    expect: async (pattern: PatternInput, options?: ExpectOptions) => {
      asked.push(options)
      const match = find(pattern, cursor)
      if (match === undefined) throw new ExpectError(code, 'It did not come', { hint: 'raise `timeout`' })
      cursor += match.before.length + match.text.length
      return match
    },
  }
  return { vm: vm as unknown as MatcherVM, asked }
}

const judge = (
  lines: readonly string[],
  patterns: readonly PatternInput[],
  { options, ...context }: Parameters<typeof contextOf>[0] & { options?: PrintInOrderOptions } = {},
) => toPrintInOrder.call(contextOf(context), printing(lines).vm, patterns, options)

describe('toPrintInOrder', () => {
  test('passes when each pattern is printed after the previous one', async () => {
    expect(await judge(['a', 'x', 'b', 'c'], ['a', ['z', 'b'], 'c'])).toMatchObject({ pass: true })
  })

  test('uses one window for all patterns, and passes other options to `vm.expect`', async () => {
    const { vm, asked } = printing(['a', 'b'])
    await toPrintInOrder.call(contextOf(), vm, ['a', 'b'], { timeout: 500, view: 'raw' })
    const [first, second] = asked
    expect([first?.view, second?.view]).toEqual(['raw', 'raw'])
    expect(first?.timeout).toBeLessThanOrEqual(500)
    expect(second?.timeout).toBeLessThanOrEqual(first?.timeout ?? 0)
  })

  test('measures its window also with fake timers', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { vm, asked } = printing(['a', 'b'])
    const late = { ...vm, expect: vi.fn(vm.expect) } as unknown as MatcherVM
    vi.mocked(late.expect).mockImplementationOnce(async (...args) => {
      // Real time passes during the first wait.
      for (const end = now() + 2; now() < end; );
      return vm.expect(...args)
    })
    await toPrintInOrder.call(contextOf(), late, ['a', 'b'], { timeout: 500 })
    expect(asked[1]?.timeout).toBeLessThan(asked[0]?.timeout ?? 0)
  })

  test.for([
    ['is missing', ['a', 'c'], ['a', 'c']],
    ['was printed earlier', ['b', 'a', 'c'], ['b', 'a', 'c']],
    ['and all others are missing', [], []],
    ['is missing and the last was printed twice', ['c', 'a', 'x', 'c'], ['c', 'a']],
  ] as const)('when one pattern %s, fails with the actual order', async ([, lines, actual]) => {
    const patterns = ['a', 'b', 'c']
    const { message, ...rest } = await judge(lines, patterns)
    expect(rest).toEqual({ pass: false, expected: patterns, actual })
    expect(message()).toContain('`timeout`')
  })

  test('reports the missing pattern and the match before it', async () => {
    const { message } = await judge(['a'], ['a', 'b'])
    expect(message()).toMatch(
      /^vm\.toPrintInOrder\(\["a", "b"\]\)\n\nPattern 2 of 2 was not printed after "a": It did not come\n/,
    )
  })

  test('fails with the error message when the guest fails', async () => {
    const { vm } = printing(['a'], 'GUEST_PANICKED')
    const { message, ...rest } = await toPrintInOrder.call(contextOf(), vm, ['a', 'b'])
    expect(rest).toEqual({ pass: false })
    expect(message()).toContain('\n\nIt did not come\n')
  })

  test.for([[], 'a', undefined, [[]], ['']])('refuses %j', async (patterns) => {
    const code = 'INVALID_OPTION'
    await expect(judge([], patterns as unknown as readonly string[])).rejects.toMatchObject({ code })
  })
})

describe('.not.toPrintInOrder', () => {
  test('passes when the last pattern is not printed in the whole window, else fails', async () => {
    expect(await judge(['a', 'c'], ['a', 'b'], { isNot: true })).toMatchObject({ pass: false })
    const { pass, message } = await judge(['a', 'b'], ['a', 'b'], { isNot: true })
    expect([pass, message()]).toEqual([true, expect.stringContaining('printed all patterns in this order: "a", "b"\n')])
  })

  test('does not pass when the guest panics', async () => {
    const { vm } = printing(['a'], 'GUEST_PANICKED')
    const verdict = toPrintInOrder.call(contextOf({ isNot: true }), vm, ['a', 'b'])
    await expect(verdict).rejects.toMatchObject({ code: 'GUEST_PANICKED' })
  })
})
