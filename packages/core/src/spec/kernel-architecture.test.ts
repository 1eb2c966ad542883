import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kernelArchitecture, requireKernelOf } from './kernel-architecture.ts'
import type { MachineOptions } from './machine-options.ts'
import { resolveOptions } from './machine-spec.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kernel-architecture-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function image(fill: (bytes: Buffer) => unknown, length = 4096): Buffer {
  const buffer = Buffer.alloc(length)
  fill(buffer)
  return buffer
}

const arm64 = image((bytes) => bytes.writeUInt32LE(0x644d_5241, 0x38), 300_000)
const bzImage = (loadFlags: number): Buffer =>
  image((bytes) => {
    bytes.write('HdrS', 0x202, 'latin1')
    bytes.writeUInt16LE(loadFlags, 0x236)
  })
const elf = (machine: number, isLittle = true): Buffer =>
  image((bytes) => {
    bytes.write('\x7fELF\x02', 'latin1')
    bytes.writeUInt8(isLittle ? 1 : 2, 5)
    if (isLittle) bytes.writeUInt16LE(machine, 0x12)
    else bytes.writeUInt16BE(machine, 0x12)
  })
const pe = (machine: number, at = 0x80): Buffer =>
  image((bytes) => {
    bytes.write('MZ', 'latin1')
    bytes.writeUInt32LE(at, 0x3c)
    if (at > bytes.length) return
    bytes.write('PE\0\0', at, 'latin1')
    bytes.writeUInt16LE(machine, at + 4)
  })
const s390 = image((bytes) => bytes.write('S390EP', 0x1_0008, 'latin1'), 0x2_0000)

test.each<[title: string, file: Buffer, arch: string | undefined]>([
  ['a bzImage for 64 bits', bzImage(3), 'x86_64'],
  ['a bzImage for 32 bits', bzImage(2), 'i386'],
  ['an Image for arm64', arm64, 'aarch64'],
  ['the start of a packed Image', gzipSync(arm64).subarray(0, 200), 'aarch64'],
  ['an Image for riscv64', image((bytes) => bytes.writeUInt32LE(0x0543_5352, 0x38)), 'riscv64'],
  ['a zImage for arm', image((bytes) => bytes.writeUInt32LE(0x016f_2818, 0x24)), 'arm'],
  ['a vmlinux', elf(62), 'x86_64'],
  ['a vmlinux for ppc64 with the big end first', elf(21, false), 'ppc64'],
  ['a bzImage for s390x', s390, 's390x'],
  ['a packed kernel that is a program for UEFI', pe(0xaa64), 'aarch64'],
  ['a program for UEFI on an unknown processor', pe(0x1234), undefined],
  ['a program for UEFI whose header is beyond its end', pe(0xaa64, 0x7fff_ffff), undefined],
  ['a program for another processor', elf(8), undefined],
  ['a damaged packed file', Buffer.from('1f8b0800ffff', 'hex'), undefined],
  ['a text', Buffer.alloc(5000, 'Linux version 1.2 (x)'), undefined],
  ['an empty file', Buffer.alloc(0), undefined],
])('tells the architecture of %s', (_title, file, arch) => {
  expect(kernelArchitecture(file)).toBe(arch)
})

function check(kernel: Buffer, options: MachineOptions): void {
  const path = join(folder, 'vmlinuz')
  writeFileSync(path, kernel)
  requireKernelOf(resolveOptions({ kernel: path, ...options }))
}

test('a kernel of another architecture is refused with both names', () => {
  expect(() => check(arm64, { arch: 'i386' })).toThrow(
    `\`kernel\` is for aarch64, but the machine is i386: ${join(folder, 'vmlinuz')}\n` +
      "Set `arch: 'aarch64'`, or pass a kernel for i386.",
  )
  expect(() => check(bzImage(3), { arch: 'i386' })).toThrow('`kernel` is for x86_64, but the machine is i386')
  expect(() => check(s390, {})).toThrow(', the architecture of this host: ')
})

test('a machine accepts each kernel that it can start, and files of other kinds', () => {
  expect(() => check(bzImage(2), { arch: 'x86_64' })).not.toThrow()
  expect(() => check(elf(8), { arch: 'x86_64' })).not.toThrow()
  expect(() => check(elf(40), { arch: 'aarch64' })).toThrow('`kernel` is for arm, but the machine is aarch64')
  expect(() => check(elf(40), { arch: 'aarch64', cpu: 'cortex-a15' })).not.toThrow()
})
