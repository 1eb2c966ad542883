import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { describe, expect } from 'vitest'
import { test } from '../../test/scratch.ts'
import { mkfatfs } from '../host/mkfatfs.ts'

const DATA = 'a2a0d0ebe5b9334487c068b6b72699c7'
const EFI = '28732ac11ff8d211ba4b00a0c93ec93b'

describe('a master boot record', () => {
  test.for([
    ['fat12', 'data', 'fit', 0x01],
    ['fat16', 'data', '8M', 0x04],
    ['fat16', 'data', '64M', 0x06],
    ['fat32', 'data', '64M', 0x0c],
    ['fat32', 'efi', '64M', 0xef],
  ] as const)(
    'of %s and %s, %s, has one partition of the right type from 1 MiB on',
    async ([type, partitionType, size, id], { scratch }) => {
      const source = scratch.tree('source', { file: 'x' })
      await mkfatfs(source, scratch.at('disk.img'), { type, partitionTable: 'mbr', partitionType, size })
      const disk = readFileSync(scratch.at('disk.img'))
      const entry = disk.subarray(446, 462)
      expect(disk.readUInt16LE(510)).toBe(0xaa55)
      expect(disk.subarray(462, 510).every((byte) => byte === 0)).toBe(true)
      expect({ id: entry[4], first: entry.readUInt32LE(8), end: 2048 + entry.readUInt32LE(12) }).toEqual({
        id,
        first: 2048,
        end: disk.length / 512,
      })
      // The volume knows how many sectors lie before it.
      expect(disk.readUInt32LE(2048 * 512 + 28)).toBe(2048)
    },
  )
})

describe('a GUID partition table', () => {
  test.for([
    ['data', DATA],
    ['efi', EFI],
  ] as const)('for %s has two equal tables with valid checksums', async ([partitionType, type], { scratch }) => {
    const source = scratch.tree('source', { file: 'x' })
    await mkfatfs(source, scratch.at('disk.img'), { partitionTable: 'gpt', partitionType, label: 'NAME', size: '8M' })
    const disk = readFileSync(scratch.at('disk.img'))
    const last = disk.length / 512 - 1
    expect(disk[450]).toBe(0xee)
    for (const [own, other] of [
      [1, last],
      [last, 1],
    ] as const) {
      const header = Buffer.from(disk.subarray(own * 512, own * 512 + 92))
      expect(header.toString('latin1', 0, 8)).toBe('EFI PART')
      expect([header.readBigUInt64LE(24), header.readBigUInt64LE(32)]).toEqual([BigInt(own), BigInt(other)])
      expect([header.readBigUInt64LE(40), header.readBigUInt64LE(48)]).toEqual([34n, BigInt(last - 33)])
      const table = Number(header.readBigUInt64LE(72)) * 512
      const entries = disk.subarray(table, table + 128 * 128)
      expect(header.readUInt32LE(88)).toBe(crc32(entries))
      const sum = header.readUInt32LE(16)
      header.writeUInt32LE(0, 16)
      expect(sum).toBe(crc32(header))
      expect(entries.toString('hex', 0, 16)).toBe(type)
      expect([entries.readBigUInt64LE(32), entries.readBigUInt64LE(40)]).toEqual([2048n, BigInt(last - 33)])
      expect(entries.toString('utf16le', 56, 64)).toBe('NAME')
      expect(entries.subarray(128).every((byte) => byte === 0)).toBe(true)
    }
  })
})
