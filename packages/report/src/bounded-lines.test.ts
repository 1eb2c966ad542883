import { expect, test } from 'vitest'
import { beginningAndEnd } from './bounded-lines.ts'

const note = (leftOut: number): string => `[${leftOut} lines left out]`

test('lines that fit stay', () => {
  expect(beginningAndEnd(['a', 'b'], 4, note)).toEqual(['a', 'b'])
  expect(beginningAndEnd([], 4, note)).toEqual([])
})

test('of too many, the first and the last stay, with a word about the others', () => {
  const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`)
  const kept = beginningAndEnd(lines, 100, note)
  expect(kept).toEqual([
    'line 0',
    'line 1',
    'line 2',
    'line 3',
    'line 4',
    '[991 lines left out]',
    'line 996',
    'line 997',
    'line 998',
    'line 999',
  ])
  expect(Buffer.byteLength(`${kept.join('\n')}\n`)).toBeLessThanOrEqual(100)
})

test('a line that is too long by itself is left out', () => {
  expect(beginningAndEnd(['x'.repeat(500)], 100, note)).toEqual(['[1 lines left out]'])
})
