import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { makeElf } from '../../test/make-elf.ts'
import { makeBzImage, makeImage } from '../../test/make-kernel.ts'
import { identifyKernel } from './kernel-image.ts'

const RELEASE = '6.12.0-rc3+'
const arm64 = makeImage(0x38, 0x644d_5241, RELEASE)
const elf = makeElf({
  wide: true,
  little: true,
  sections: { '.rodata': Buffer.from(`Linux version %s (%s)\0Linux version ${RELEASE} (me@host)\0`.padEnd(700)) },
})
const machine = (value: number): Buffer => {
  const file = Buffer.from(elf)
  file.writeUInt16LE(value, 0x12)
  return file
}
const zImage = makeImage(0x24, 0x016f_2818, '')
const packed = gzipSync(Buffer.from(`Linux version ${RELEASE} (me@host)`))
packed[3] = 0

test.each<[title: string, file: Uint8Array, arch: string | undefined, release: string | undefined]>([
  ['a bzImage for 64 bits, by its setup header', makeBzImage(RELEASE), 'x86_64', RELEASE],
  ['a bzImage for 32 bits', makeBzImage(RELEASE, { is64Bit: false }), 'i386', RELEASE],
  ['a bzImage without a version', makeBzImage(''), 'x86_64', undefined],
  ['an Image for arm64, by its banner', arm64, 'aarch64', RELEASE],
  ['a packed Image', gzipSync(arm64), 'aarch64', RELEASE],
  ['an Image for riscv64', makeImage(0x38, 0x0543_5352, RELEASE), 'riscv64', RELEASE],
  ['a zImage for arm, by the banner in its packed part', Buffer.concat([zImage, packed]), 'arm', RELEASE],
  ['a zImage with another compression', zImage, 'arm', undefined],
  ['a vmlinux', machine(62), 'x86_64', RELEASE],
  ['a vmlinux for ppc64', machine(21), 'ppc64', RELEASE],
  ['a program for another processor', machine(8), undefined, undefined],
  ['a text', Buffer.alloc(5000, 'Linux version 1.2 (x)'), undefined, undefined],
  ['an empty file', Buffer.alloc(0), undefined, undefined],
])('identifies %s', async (_title, file, arch, release) => {
  expect(await identifyKernel(file)).toEqual({ arch, release })
})
