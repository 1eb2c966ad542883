import { expect, test } from 'vitest'
import { counted, formatBytes, formatText } from './format-text.ts'

test('removes colors and shows other control characters', () => {
  expect(formatText('\x1b[31mred\x1b[0m\r\n\0\x07\x08tab\there\x7f')).toBe('red\n␀␇␈tab\there␡')
})

test('shows the code of marks that change the direction of text', () => {
  expect(formatText('a\u202egnp.exe\u2069\u0085')).toBe('a\\u202egnp.exe\\u2069\\u0085')
})

test('shows the rest of an incomplete escape sequence', () => {
  expect(formatText('\x1b]8;;http://x')).not.toContain('\x1b')
})

test.for([
  [1_023, '1023 B'],
  [1_536, '1.5 KiB'],
  [10_240, '10 KiB'],
  [5 * 1024 ** 2, '5.0 MiB'],
] as const)('%i bytes are shown as %s', ([bytes, shown]) => {
  expect(formatBytes(bytes)).toBe(shown)
})

test('counted uses the singular for 1', () => {
  expect([0, 1, 2].map((count) => counted(count, 'test'))).toEqual(['0 tests', '1 test', '2 tests'])
})
