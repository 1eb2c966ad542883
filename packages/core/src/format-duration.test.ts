import { expect, test } from 'vitest'
import { formatDuration } from './format-duration.ts'

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_049, '1.0 s'],
  [59_900, '59.9 s'],
  [60_000, '1 min'],
  [185_000, '3 min 5 s'],
])('formats %i milliseconds as %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text)
})
