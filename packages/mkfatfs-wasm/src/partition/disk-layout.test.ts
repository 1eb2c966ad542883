import { readFileSync, writeFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { describe, expect } from 'vitest'
import { test } from '../../test/scratch.ts'
import { fsck } from '../../test/tools.ts'
import { mkfatfs, readFatImage } from '../index.ts'

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
      // The volume's boot sector contains the number of sectors before it.
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

const esp = {
  files: { 'EFI/BOOT/BOOTX64.EFI': 'code' },
  label: 'EFI',
  partitionType: 'efi',
  partitionName: 'Boot',
} as const
const data = { files: { 'notes.txt': 'notes', 'large.bin': new Uint8Array(3_000_000).fill(1) }, label: 'DATA' } as const

describe('several partitions', () => {
  test.for([
    ['gpt', 512],
    ['gpt', 4096],
    ['hybrid', 512],
    ['mbr', 512],
    ['mbr', 2048],
  ] as const)(
    'in a %s with sectors of %i bytes begin at multiples of 1 MiB, and each is a volume',
    async (row, { scratch }) => {
      const [partitionTable, sectorSize] = row
      const { partitionName: _, ...nameless } = esp
      const image = await mkfatfs({
        partitions: [
          { ...(partitionTable === 'mbr' ? nameless : esp), size: '5M' },
          { ...data, partitionType: partitionTable === 'mbr' ? 0x83 : '0fc63daf-8483-4772-8e79-3d69d8477de4' },
          { files: {}, label: 'REST' },
        ],
        partitionTable,
        sectorSize,
        size: '64M',
      })
      expect(image.size).toBe(64 * 2 ** 20)
      expect(image.volumes.map(({ label, files }) => [label, files])).toEqual([
        ['EFI', 1],
        ['DATA', 2],
        ['REST', 0],
      ])
      const [first, second, third] = image.volumes
      expect(first?.offset).toBe(2 ** 20)
      expect((first?.size ?? 0) / 2 ** 20).toBeCloseTo(5, 0)
      for (const { offset } of image.volumes) expect(offset % 2 ** 20).toBe(0)
      expect((third?.offset ?? 0) + (third?.size ?? 0)).toBeGreaterThan(63.8 * 2 ** 20)
      await image.toFile(scratch.at('disk.img'))
      for (const [index, volume] of image.volumes.entries()) {
        await fsck(scratch.at('disk.img'), { offset: volume.offset, size: volume.size })
        await using read = await readFatImage(scratch.at('disk.img'), { partition: index + 1 })
        expect(read).toMatchObject({ partitionTable, sectorSize, label: volume.label, volumeOffset: volume.offset })
      }
      await using read = await readFatImage(scratch.at('disk.img'), { partition: 2 })
      expect(String(await read.readFile('notes.txt'))).toBe('notes')

      const disk = readFileSync(scratch.at('disk.img'))
      const types = [446, 462, 478, 494].map((entry) => disk[entry + 4])
      const starts = [446, 462, 478, 494].map((entry) => disk.readUInt32LE(entry + 8) * sectorSize)
      const offsets = [first?.offset, second?.offset, third?.offset]
      if (partitionTable === 'mbr')
        expect({ types, starts }).toEqual({ types: [0xef, 0x83, 0x06, 0], starts: [...offsets, 0] })
      if (partitionTable === 'gpt') expect(types).toEqual([0xee, 0, 0, 0])
      if (partitionTable === 'hybrid') {
        expect(types).toEqual([0xee, 0xef, 0x01, 0x06])
        expect(starts).toEqual([sectorSize, ...offsets])
        expect(disk.readUInt32LE(446 + 12)).toBe(2 ** 20 / sectorSize - 1)
      }
      if (partitionTable === 'mbr') return
      const table = 2 * sectorSize
      expect(disk.toString('utf16le', table + 56, table + 64)).toBe('Boot')
      expect(disk.toString('hex', table, table + 16)).toBe(EFI)
      expect(disk.toString('hex', table + 128, table + 144)).toBe('af3dc60f838472478e793d69d8477de4')
      const guids = [0, 1, 2].map((index) => disk.toString('hex', table + index * 128 + 16, table + index * 128 + 32))
      expect(new Set(guids).size).toBe(3)
    },
  )

  test('several partitions without a size make the smallest image', async () => {
    const image = await mkfatfs({ partitions: [esp, data] })
    expect(image.partitionTable).toBe('gpt')
    expect(image.size).toBeLessThan(7 * 2 ** 20)
  })

  test.for([
    [
      'partitions larger than the image',
      {
        partitions: [
          { ...esp, size: '2M' },
          { ...data, size: '6M' },
        ],
        size: '8M',
      },
      'IMAGE_TOO_SMALL',
      /partitions need an image of 9 MiB/,
    ],
    ['contents larger than the image', { partitions: [esp, data], size: '3M' }, 'IMAGE_TOO_SMALL', /needs an image of/],
    [
      'contents larger than a partition',
      { partitions: [{ ...data, size: '1M' }] },
      'IMAGE_TOO_SMALL',
      /a partition of/,
    ],
    ['no partition', { partitions: [] }, 'INVALID_OPTION', /not a list of 1 to 128 partitions/],
    [
      'four partitions of a hybrid',
      { partitions: [esp, esp, esp, esp], partitionTable: 'hybrid' },
      'INVALID_OPTION',
      /1 to 3 partitions/,
    ],
    ['partitions without a table', { partitions: [esp], partitionTable: 'none' }, 'INVALID_OPTION', /partition table/],
    ['a label of the image', { partitions: [esp], label: 'X' }, 'INVALID_OPTION', /`label` and `partitions` exclude/],
    ['an unknown option', { partitions: [{ lable: 'X' }] }, 'UNKNOWN_OPTION', /"lable"/],
    ['a number as type', { ...esp, partitionTable: 'gpt', partitionType: 0x83 }, 'INVALID_OPTION', /"efi" or a GUID/],
    ['a word as type', { ...esp, partitionTable: 'mbr', partitionType: 'linux' }, 'INVALID_OPTION', /from 1 to 255/],
    [
      'a long name',
      { ...esp, partitionTable: 'gpt', partitionName: 'x'.repeat(37) },
      'INVALID_OPTION',
      /36 characters/,
    ],
  ] as const)('refuse %s', async ([, options, code, words]) => {
    await expect(mkfatfs(options as never)).rejects.toMatchObject({ code, message: expect.stringMatching(words) })
  })
})

describe('boot code', () => {
  test.for(['fat12', 'fat16', 'fat32'] as const)(
    'of a boot sector goes around the fields of %s',
    async (type, { scratch }) => {
      const code = Buffer.alloc(512, 0xcc)
      code.set([0xeb, 0x58, 0x90])
      writeFileSync(scratch.at('boot.bin'), code)
      const image = await mkfatfs({ files: { x: 'x' }, type, bootCode: scratch.at('boot.bin'), label: 'BOOT' })
      const bytes = Buffer.from(await image.toBytes())
      const start = type === 'fat32' ? 90 : 62
      for (const copy of type === 'fat32' ? [0, 6 * 512] : [0]) {
        const sector = bytes.subarray(copy, copy + 512)
        expect(sector.subarray(0, 3).equals(code.subarray(0, 3))).toBe(true)
        expect(sector.subarray(start, 510).equals(code.subarray(start, 510))).toBe(true)
        expect(sector.readUInt16LE(510)).toBe(0xaa55)
      }
      await using read = await readFatImage(bytes)
      expect(read.label).toBe('BOOT')
    },
  )

  test('boot code of an MBR is stored before the partition table', async () => {
    const mbrCode = new Uint8Array(440).fill(0x90)
    const image = await mkfatfs({ files: {}, partitionTable: 'mbr', mbrCode })
    const bytes = await image.toBytes()
    expect(bytes.subarray(0, 440)).toEqual(mbrCode)
    await using read = await readFatImage(bytes)
    expect(read.partitionTable).toBe('mbr')
  })

  test.for([
    ['a short boot sector', { bootCode: new Uint8Array(100) }, '`bootCode` has 100 bytes, not 512 bytes'],
    [
      'code over the table',
      { mbrCode: new Uint8Array(441), partitionTable: 'mbr' },
      '`mbrCode` has 441 bytes, not 1 to 440 bytes',
    ],
    ['code without a table', { mbrCode: new Uint8Array(1) }, '`mbrCode` needs a partition table'],
    ['no jump', { bootCode: new Uint8Array(512) }, '`bootCode` begins with 0x00, not with a jump'],
    ['a missing file', { bootCode: '/nowhere' }, 'Could not read `bootCode` from "/nowhere"'],
  ] as const)('refuses %s', async ([, options, words]) => {
    await expect(mkfatfs({ files: {}, ...options })).rejects.toThrow(words)
  })
})
