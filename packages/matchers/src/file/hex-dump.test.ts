import { expect, test } from 'vitest'
import { firstDifference, hexDumps } from './hex-dump.ts'

test('shows sixteen bytes per line, with their offset and text', () => {
  const [dump] = hexDumps(Buffer.from('hello, world\n\0\xff~more', 'latin1'), Buffer.of())
  expect(dump).toBe(
    '00000000  68 65 6c 6c 6f 2c 20 77 6f 72 6c 64 0a 00 ff 7e  hello, world...~\n' +
      '00000010  6d 6f 72 65                                      more',
  )
})

test('starts two lines before the first difference and has at most sixteen lines', () => {
  const first = Buffer.alloc(100_000)
  const second = Buffer.from(first)
  second[50_000] = 1
  const [one, two] = hexDumps(first, second)
  expect([one.split('\n').length, two.split('\n').length]).toEqual([16, 16])
  expect(two).toMatch(/^0000c330 {2}(00 )+ .*\n.*\n0000c350 {2}01 /)
  expect(firstDifference(first, second)).toBe(50_000)
})
