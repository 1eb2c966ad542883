import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resolveOptions } from './machine-spec.ts'
import { leastMemory } from './memory-need.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'memory-need-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A sparse file. */
function file(name: string, bytes: number, start: Uint8Array = new Uint8Array()): string {
  const path = join(folder, name)
  writeFileSync(path, start)
  truncateSync(path, bytes)
  return path
}

/** An ELF file with a loaded segment of each given size, and one segment that is not loaded. */
function elf(...sizes: readonly number[]): string {
  const head = Buffer.alloc(64 + 56 * (sizes.length + 1))
  head.write('\x7fELF\x02\x01', 'latin1')
  head.writeBigUInt64LE(64n, 0x20)
  head.writeUInt16LE(56, 0x36)
  head.writeUInt16LE(sizes.length + 1, 0x38)
  for (const [index, size] of sizes.entries()) {
    head.writeUInt32LE(1, 64 + 56 * index)
    head.writeBigUInt64LE(BigInt(size), 64 + 56 * index + 0x28)
  }
  head.writeBigUInt64LE(2n ** 40n, 64 + 56 * sizes.length + 0x28)
  return file('vmlinux', 2 ** 20, head)
}

test('an ELF kernel takes the memory of its loaded segments, not the size of its file', () => {
  expect(leastMemory(elf(5_000_000, 3_000_000), undefined)).toBe(8_000_000)
})

test('another kernel and an initramfs take the size of their files', () => {
  expect(leastMemory(file('bzImage', 7_000_000), file('initramfs', 40_000_000))).toBe(47_000_000)
  expect(leastMemory(undefined, undefined)).toBe(0)
  expect(leastMemory(file('short', 3), undefined)).toBe(3)
})

test.each([
  ['entries of no size', 0x36, 0],
  ['entries of a wrong size', 0x36, 0xffff],
  ['a table beyond its end', 0x26, 0x7fff],
  ['more entries than it has room for', 0x38, 0xffff],
])('a damaged ELF kernel with %s takes the size of its file', (_what, offset, value) => {
  const path = elf(5_000_000)
  const bytes = readFileSync(path)
  bytes.writeUInt16LE(value, offset)
  writeFileSync(path, bytes)
  expect(leastMemory(path, undefined)).toBe(bytes.length)
})

test('memory that is less than that is refused before anything is started', () => {
  const options = {
    arch: 'x86_64',
    kernel: file('bzImage', 7_000_000),
    initramfs: file('initramfs', 40_000_000),
  } as const
  expect(() => resolveOptions({ ...options, memory: '8M' })).toThrow(
    '`memory` is 8 MiB, but `kernel` and `initramfs` alone take 45 MiB\nSet it to 90M or more',
  )
  expect(() => resolveOptions({ ...options, memory: '45M' })).not.toThrow()
})
