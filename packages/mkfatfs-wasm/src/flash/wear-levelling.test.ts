import { writeFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { describe, expect } from 'vitest'
import { test } from '../../test/scratch.ts'
import { fsck, mcopyOut, mdirFiles } from '../../test/tools.ts'
import { mkfatfs, readFatImage } from '../index.ts'
import { wearLevelledSize, wearLevellingBytes, wearLevellingChunks } from './wear-levelling.ts'

const files = { 'config.json': '{"a":1}', 'www/index.html': '<p>', 'data.bin': new Uint8Array(100_000).fill(0x5a) }
const DEVICE_ID = 0x12345678

/*
 * A partition of 1 MiB is 256 flash sectors. A state takes 64 + 16 * 256 = 4160 bytes, which is 2 sectors. Its parts:
 *
 *   sector 0          the dummy, erased
 *   sectors 1-250     the volume: 256 - 1 dummy - 2 * 2 states - 1 configuration = 250 sectors
 *   sectors 251, 253  the two copies of the state
 *   sector 255        the configuration
 *
 * The dummy can be at 251 positions, 0 to 250. Checksums are CRC-32 with 0xffffffff as the previous value, computed with
 * Python: binascii.crc32(fields, 0xffffffff).
 */
const STATE = [
  '00000000', // pos: never stored by a device, which counts records
  'fb000000', // max_pos: 251
  '00000000', // move_count
  '00000000', // access_count
  '10000000', // max_count: 16
  '00100000', // block_size: 4096
  '02000000', // version
  '78563412', // device_id
  '00'.repeat(28), // reserved
  '2bade371', // crc of the 60 bytes before
].join('')
const CONFIG = [
  '00000000', // start_addr
  '00001000', // full_mem_size: 1 MiB
  '00100000', // page_size: 4096
  '00100000', // sector_size: 4096
  '10000000', // updaterate: 16
  '10000000', // wr_size: 16
  '02000000', // version
  '20000000', // temp_buff_size: 32
  'e062b54f', // crc of the 32 bytes before
  '00'.repeat(12), // padding to 48 bytes
].join('')

test('the layer of a partition of 1 MiB has the bytes computed by hand', () => {
  const chunks = wearLevellingChunks(2 ** 20, DEVICE_ID).map(({ offset, bytes }) => ({
    sector: offset / 4096,
    bytes: Buffer.from(bytes),
  }))
  const erased = (bytes: Buffer) => bytes.every((byte) => byte === 0xff)
  expect(chunks.map(({ sector, bytes }) => [sector, bytes.length / 4096])).toEqual([
    [0, 1],
    [251, 2],
    [253, 2],
    [255, 1],
  ])
  const [dummy, first, second, config] = chunks.map(({ bytes }) => bytes)
  if (!dummy || !first || !second || !config) throw new Error('there are fewer than four chunks')
  expect(erased(dummy)).toBe(true)
  for (const state of [first, second]) {
    expect(state.toString('hex', 0, 64)).toBe(STATE)
    expect(erased(state.subarray(64))).toBe(true)
  }
  expect(config.toString('hex', 0, 48)).toBe(CONFIG)
  expect(erased(config.subarray(48))).toBe(true)
})

test.for([
  [528 * 1024, 128],
  [2 ** 20, 250],
  [4 * 2 ** 20, 1012],
] as const)('a partition of %i bytes has a volume of %i sectors', ([size, sectors]) => {
  expect((size - wearLevellingBytes(size, true)) / 4096).toBe(sectors)
  expect((size - wearLevellingBytes(size, 'safe')) / 4096).toBe(sectors - 2)
  expect(wearLevelledSize(sectors * 4096, true)).toBeLessThanOrEqual(size)
})

describe('an image for ESP-IDF', () => {
  test('has sectors and clusters of 4096 bytes, two FATs and 512 root entries', async () => {
    const image = await mkfatfs({ files, profile: 'esp-idf', size: '1M' })
    const boot = Buffer.from(await image.toBytes())
    expect({
      bytesPerSector: boot.readUInt16LE(11),
      sectorsPerCluster: boot.readUInt8(13),
      reserved: boot.readUInt16LE(14),
      fats: boot.readUInt8(16),
      rootEntries: boot.readUInt16LE(17),
      sectors: boot.readUInt16LE(19),
      media: boot.readUInt8(21),
      sectorsPerFat: boot.readUInt16LE(22),
    }).toEqual({
      bytesPerSector: 4096,
      sectorsPerCluster: 1,
      reserved: 1,
      fats: 2,
      rootEntries: 512,
      sectors: 256,
      media: 0xf8,
      sectorsPerFat: 1,
    })
  })

  test.for([
    ['fitting', 4096, { size: 'fit' }],
    ['with sectors of 4096 bytes', 4096, { size: '1M' }],
    ['with sectors of 512 bytes', 512, { size: '1M', sectorSize: 512, clusterSize: 4096 }],
    ['with safe sectors of 512 bytes', 512, { size: '1M', sectorSize: 512, wearLevelling: 'safe' }],
    ['with one FAT', 4096, { size: '1M', fats: 1 }],
  ] as const)('with wear levelling, %s, holds a volume that fsck.fat and mtools read', async (row, { scratch }) => {
    const [, sectorSize, options] = row
    const image = await mkfatfs({ files, profile: 'esp-idf', wearLevelling: true, label: 'ESP', ...options })
    const bytes = Buffer.from(await image.toBytes())
    expect(bytes.length % 4096).toBe(0)
    expect(image.volumeOffset).toBe(4096)
    const volume = scratch.at('volume.img')
    const [facts] = image.volumes
    writeFileSync(volume, bytes.subarray(4096, 4096 + (facts?.size ?? 0)))
    await fsck(volume)
    expect(await mdirFiles(volume)).toEqual(Object.keys(files).toSorted())
    const out = scratch.tree('out', {})
    await mcopyOut(volume, out)

    await using read = await readFatImage(bytes)
    expect(read).toMatchObject({ isWearLevelled: true, volumeOffset: 4096, sectorSize, label: 'ESP' })
    expect((await read.readFile('data.bin')).equals(files['data.bin'])).toBe(true)
  })

  test.for([1, 2, 17, 249, 250, 251, 252, 501, 502, 2000])(
    'can be read after a device has moved the dummy %i times',
    async (moves) => {
      const image = await mkfatfs({ files, profile: 'esp-idf', wearLevelling: true, size: '1M' })
      const bytes = Buffer.from(await image.toBytes())
      moveDummy(bytes, moves)
      await using read = await readFatImage(bytes)
      expect(read.isWearLevelled).toBe(true)
      expect((await read.list()).map(({ path }) => path)).toEqual(['config.json', 'data.bin', 'www', 'www/index.html'])
      expect((await read.readFile('data.bin')).equals(files['data.bin'])).toBe(true)
    },
  )

  test('can be read after a power failure while one copy of the state was written', async () => {
    const image = await mkfatfs({ files, profile: 'esp-idf', wearLevelling: true, size: '1M' })
    const bytes = Buffer.from(await image.toBytes())
    moveDummy(bytes, 300)
    bytes.fill(0xff, 251 * 4096, 253 * 4096)
    await using read = await readFatImage(bytes)
    expect(String(await read.readFile('config.json'))).toBe('{"a":1}')
  })

  test.for([
    [{ partitionTable: 'gpt' }, 'exclude each other'],
    [{ sectorSize: 1024 }, 'needs a `sectorSize` of 512 or 4096'],
    [{ wearLevelling: 'safe' }, 'needs a `sectorSize` of 512'],
    [{ wearLevelling: 'fast' }, 'not true, false or "safe"'],
    [{ size: 1_000_448 }, 'a multiple of 4096 bytes'],
    [{ clusterSize: 6000 }, 'not a power of two from 4096 to 524288 bytes'],
    [{ fats: 3 }, 'not 1 or 2'],
    [{ profile: 'arduino' }, 'not one of esp-idf'],
  ] as const)('refuses %j', async ([options, words]) => {
    const all = { files, profile: 'esp-idf', wearLevelling: true, ...options }
    await expect(mkfatfs(all as never)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(words),
    })
  })

  test('refuses contents that are too large, with both sizes', async () => {
    const large = { 'large.bin': new Uint8Array(1_000_000) }
    await expect(mkfatfs({ files: large, profile: 'esp-idf', wearLevelling: true, size: '1M' })).rejects.toMatchObject({
      code: 'IMAGE_TOO_SMALL',
      shortMessage: expect.stringMatching(/needs an image of 1 MiB \(1,0\d\d,\d{3} bytes\), `size` is 1 MiB/),
    })
  })
})

/** Moves the dummy of an image of 1 MiB as the component of ESP-IDF does after 16 erases. */
function moveDummy(bytes: Buffer, times: number): void {
  const positions = 251
  const states = [251 * 4096, 253 * 4096]
  const deviceId = bytes.readUInt32LE((states[0] ?? 0) + 28)
  const sector = (index: number) => bytes.subarray(index * 4096, (index + 1) * 4096)
  let position = 0
  let turns = 0
  for (let move = 0; move < times; move++) {
    sector((position + 1) % positions).copy(sector(position))
    for (const state of states) {
      for (let word = 0; word < 4; word++) {
        const value = Buffer.alloc(4)
        value.writeUInt32LE((deviceId + position * 4 + word) >>> 0)
        bytes.writeUInt32LE(crc32(value, 0xffffffff), state + 64 + position * 16 + word * 4)
      }
    }
    position++
    if (position < positions) continue
    position = 0
    turns = (turns + 1) % (positions - 1)
    for (const state of states) {
      bytes.writeUInt32LE(turns, state + 8)
      bytes.writeUInt32LE(crc32(bytes.subarray(state, state + 60), 0xffffffff), state + 60)
      bytes.fill(0xff, state + 64, state + 8192)
    }
  }
}
