import { expect, test } from 'vitest'
import { makeElf } from '../test/make-elf.ts'
import { flatBzImage } from './flat-bzimage.ts'

const MIB = 2 ** 20

test('writes the setup code, a jump to the kernel, and the kernel at its load address', () => {
  const vmlinux = makeElf({
    wide: false,
    little: true,
    entry: MIB + 64,
    programs: [
      { type: 1, address: MIB + 64, data: Buffer.from('text') },
      { type: 4, data: Buffer.from('a note') },
      { type: 1, address: MIB + 256, data: Buffer.from('data') },
    ],
  })
  const image = Buffer.from(flatBzImage(Buffer.from('setup'), vmlinux))
  const memory = image.subarray('setup'.length)
  expect(image.toString('latin1', 0, 5)).toBe('setup')
  expect([...memory.subarray(0, 7)]).toEqual([0xb8, 0x40, 0x00, 0x10, 0x00, 0xff, 0xe0])
  expect(memory.toString('latin1', 64, 68)).toBe('text')
  expect(memory.toString('latin1', 256)).toBe('data')
})

test('refuses a kernel that overlaps the jump, and one without load segments', () => {
  const low = makeElf({ wide: false, little: true, programs: [{ type: 1, address: MIB, data: Buffer.from('x') }] })
  for (const vmlinux of [low, makeElf({ wide: false, little: true })]) {
    expect(() => flatBzImage(Buffer.alloc(0), vmlinux)).toThrow(
      expect.objectContaining({ code: 'GUEST_KERNEL_UNAVAILABLE' }),
    )
  }
})
