import { expect, test } from 'vitest'
import { formatByteSize, parseByteSize } from './byte-size.ts'

test.for([
  ['4096', 4096],
  ['64M', 67_108_864],
  ['64m', 67_108_864],
  ['64MiB', 67_108_864],
  ['1.5 G', 1_610_612_736],
  ['2TB', 2_199_023_255_552],
  ['16k', 16_384],
] as const)('%s is %i bytes', ([text, bytes]) => {
  expect(parseByteSize(text)).toBe(bytes)
})

test.for(['', 'M', '-1', '1X', '64 M B', '0.3', '1e3', '9999999T'])('refuses "%s" as a size', (text) => {
  expect(parseByteSize(text)).toBeUndefined()
})

test('formats a size in the largest fitting unit, followed by the exact bytes', () => {
  expect(formatByteSize(0)).toBe('0 bytes')
  expect(formatByteSize(1023)).toBe('1,023 bytes')
  expect(formatByteSize(1024)).toBe('1 KiB (1,024 bytes)')
  expect(formatByteSize(1_572_864)).toBe('1.5 MiB (1,572,864 bytes)')
  expect(formatByteSize(4_294_967_296)).toBe('4 GiB (4,294,967,296 bytes)')
})
