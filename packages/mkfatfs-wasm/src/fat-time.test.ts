import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromFatTime, toFatTime } from './fat-time.ts'

test('packs year, month and day, hour, minute and pair of seconds', () => {
  const time = toFatTime(Date.UTC(2024, 1, 29, 23, 59, 58))
  expect(time).toEqual({ date: (44 << 9) | (2 << 5) | 29, time: (23 << 11) | (59 << 5) | 29 })
})

test('a stored time is the last even second at or before the one given', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2107, 11, 31, 23, 59, 59) }), (milliseconds) => {
      const stored = fromFatTime(toFatTime(milliseconds))
      expect(stored % 2000).toBe(0)
      expect(milliseconds - stored).toBeGreaterThanOrEqual(0)
      expect(milliseconds - stored).toBeLessThan(2000)
    }),
  )
})

test.for([
  ['before 1980', 0, Date.UTC(1980, 0, 1)],
  ['after 2107', Date.UTC(2200, 0, 1), Date.UTC(2107, 11, 31, 23, 59, 58)],
] as const)('a time %s becomes the nearest that FAT knows', ([, milliseconds, stored]) => {
  expect(fromFatTime(toFatTime(milliseconds))).toBe(stored)
})
