import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FatType } from '../volume/geometry.ts'
import { encodeFat } from './fat-table.ts'

const RESERVED = {
  fat12: Buffer.from('f8ffff0000000000', 'hex'),
  fat16: Buffer.from('f8ffffff00000000', 'hex'),
  fat32: Buffer.from('f8ffffffffffffff', 'hex'),
} as const

/** Reads an entry of a FAT, written from the specification. */
function entryOf(type: FatType, fat: Buffer, cluster: number): number {
  if (type === 'fat32') return fat.readUInt32LE(cluster * 4) & 0x0fffffff
  if (type === 'fat16') return fat.readUInt16LE(cluster * 2)
  const at = cluster + (cluster >> 1)
  const pair = fat.readUInt8(at) | (fat.readUInt8(at + 1) << 8)
  return cluster % 2 === 1 ? pair >> 4 : pair & 0xfff
}

const END = { fat12: 0xfff, fat16: 0xffff, fat32: 0x0fffffff } as const

test.for(['fat12', 'fat16', 'fat32'] as const)('encodes each run of %s as a separate chain', (type) => {
  const total = type === 'fat12' ? 4000 : 60_000
  const runs = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: total / 20 })), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(runs, (lengths) => {
      const fat = Buffer.concat([...encodeFat(type, RESERVED[type], lengths), Buffer.alloc(2)])
      expect(fat.subarray(0, 3)).toEqual(RESERVED[type].subarray(0, 3))
      let cluster = 2
      for (const length of lengths) {
        const links = Array.from({ length: length - 1 }, (_, index) => cluster + index + 1)
        expect(links.every((next) => entryOf(type, fat, next - 1) === next)).toBe(true)
        cluster += length - 1
        expect(entryOf(type, fat, cluster++)).toBe(END[type])
      }
    }),
  )
})

test('chains continue in the next chunk', () => {
  const pieces = [...encodeFat('fat32', RESERVED.fat32, [70_000, 1, 200_000])]
  const fat = Buffer.concat(pieces)
  expect(pieces.length).toBeGreaterThan(3)
  expect(fat.length).toBe((2 + 270_001) * 4)
  expect([65_535, 65_536, 70_000, 70_001, 70_002, 70_003].map((cluster) => entryOf('fat32', fat, cluster))).toEqual([
    65_536,
    65_537,
    70_001,
    END.fat32,
    END.fat32,
    70_004,
  ])
})
