import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromFatTime, toFatTime } from './fat-time.ts'

test('packs year, month and day, hour, minute and pair of seconds', () => {
  const time = toFatTime(Date.UTC(2024, 1, 29, 23, 59, 58))
  expect(time).toEqual({ date: (44 << 9) | (2 << 5) | 29, time: (23 << 11) | (59 << 5) | 29 })
})

test('rounds a time down to an even second', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2107, 11, 31, 23, 59, 59) }), (milliseconds) => {
      const stored = fromFatTime(toFatTime(milliseconds))
      if (stored === undefined) throw new Error('the stored time is invalid')
      expect(stored % 2000).toBe(0)
      expect(milliseconds - stored).toBeGreaterThanOrEqual(0)
      expect(milliseconds - stored).toBeLessThan(2000)
    }),
  )
})

test.for([
  ['before 1980', 0, Date.UTC(1980, 0, 1)],
  ['after 2107', Date.UTC(2200, 0, 1), Date.UTC(2107, 11, 31, 23, 59, 58)],
] as const)('replaces a time %s by the nearest that FAT can store', ([, milliseconds, stored]) => {
  expect(fromFatTime(toFatTime(milliseconds))).toBe(stored)
})

test.for([
  ['date of zero', 0, 0],
  ['month 0', (44 << 9) | 1, 0],
  ['month 13', (44 << 9) | (13 << 5) | 1, 0],
  ['day 0', (44 << 9) | (1 << 5), 0],
  ['30 February', (44 << 9) | (2 << 5) | 30, 0],
  ['hour 24', (44 << 9) | (1 << 5) | 1, 24 << 11],
  ['minute 60', (44 << 9) | (1 << 5) | 1, 60 << 5],
  ['second 60', (44 << 9) | (1 << 5) | 1, 30],
  ['all bits set', 0xffff, 0xffff],
] as const)('returns undefined for a stored %s', ([, date, time]) => {
  expect(fromFatTime({ date, time })).toBeUndefined()
})
