import { ExpectError, type ExpectOptions, type Match, type PatternInput } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { type PrintInOrderOptions, toPrintInOrder } from './to-print-in-order.ts'

/** A machine that has printed these texts, each on a line, and nothing else will come. */
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
  test('passes when each comes behind the one before it', async () => {
    expect(await judge(['a', 'x', 'b', 'c'], ['a', ['z', 'b'], 'c'])).toMatchObject({ pass: true })
  })

  test('has one window for all of them, and passes other options on', async () => {
    const { vm, asked } = printing(['a', 'b'])
    await toPrintInOrder.call(contextOf(), vm, ['a', 'b'], { timeout: 500, view: 'raw' })
    const [first, second] = asked
    expect([first?.view, second?.view]).toEqual(['raw', 'raw'])
    expect(first?.timeout).toBeLessThanOrEqual(500)
    expect(second?.timeout).toBeLessThanOrEqual(first?.timeout ?? 0)
  })

  test.for([
    ['is missing', ['a', 'c'], ['a', 'c']],
    ['was printed earlier', ['b', 'a', 'c'], ['b', 'a', 'c']],
    ['and all are missing', [], []],
    ['comes although an earlier one was printed before', ['c', 'a', 'x', 'c'], ['c', 'a']],
  ] as const)('fails when one %s, with the order in which they came', async ([, lines, actual]) => {
    const patterns = ['a', 'b', 'c']
    const { message, ...rest } = await judge(lines, patterns)
    expect(rest).toEqual({ pass: false, expected: patterns, actual })
    expect(message()).toContain('`timeout`')
  })

  test('says which one did not come, and behind what', async () => {
    const { message } = await judge(['a'], ['a', 'b'])
    expect(message()).toMatch(
      /^vm\.toPrintInOrder\(\["a", "b"\]\)\n\nPattern 2 of 2 did not come behind "a": It did not come\n/,
    )
  })

  test('fails with the words of a guest that failed', async () => {
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
  test('passes when the last has not come in the whole window, and fails when it has', async () => {
    expect(await judge(['a', 'c'], ['a', 'b'], { isNot: true })).toMatchObject({ pass: false })
    const { pass, message } = await judge(['a', 'b'], ['a', 'b'], { isNot: true })
    expect([pass, message()]).toEqual([true, expect.stringContaining('printed all of it in this order: "a", "b"\n')])
  })

  test('does not pass because the guest panicked', async () => {
    const { vm } = printing(['a'], 'GUEST_PANICKED')
    const verdict = toPrintInOrder.call(contextOf({ isNot: true }), vm, ['a', 'b'])
    await expect(verdict).rejects.toMatchObject({ code: 'GUEST_PANICKED' })
  })
})
