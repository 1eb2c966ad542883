import { expect, test } from 'vitest'
import { beginningAndEnd } from './bounded-lines.ts'

const note = (leftOut: number): string => `[${leftOut} lines left out]`

test('keeps all lines that fit', () => {
  expect(beginningAndEnd(['a', 'b'], 4, note)).toEqual(['a', 'b'])
  expect(beginningAndEnd([], 4, note)).toEqual([])
})

test('keeps the first and last lines, with a note between them', () => {
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

test('leaves out a single line that is too long', () => {
  expect(beginningAndEnd(['x'.repeat(500)], 100, note)).toEqual(['[1 lines left out]'])
})
