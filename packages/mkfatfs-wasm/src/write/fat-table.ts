/** The file allocation table: for each cluster the next one of its file. As the layout has only runs, it is a stream. */
import { endianness } from 'node:os'
import type { FatType } from '../volume/geometry.ts'

/** Entries made at a time; a multiple of 2, because two entries of FAT12 share three bytes. */
const CHUNK_ENTRIES = 2 ** 16
/** The first two entries are no clusters: FatFs has written them. */
const RESERVED_ENTRIES = 2

const isBigEndian = endianness() === 'BE'

const END: Readonly<Record<FatType, number>> = { fat12: 0xfff, fat16: 0xffff, fat32: 0x0fffffff }

/**
 * The bytes of a FAT up to its last used entry, in pieces, from its start.
 * @param reserved the first bytes of the FAT as it was formatted, at least 8
 * @param runs lengths of the runs of clusters that follow each other from cluster 2 on
 */
export function* encodeFat(type: FatType, reserved: Buffer, runs: readonly number[]): Generator<Buffer> {
  const entries = new Uint32Array(CHUNK_ENTRIES)
  const encode = ENCODERS[type]
  for (let index = 0; index < RESERVED_ENTRIES; index++) entries[index] = readEntry(type, reserved, index)
  let filled = RESERVED_ENTRIES
  let cluster = RESERVED_ENTRIES
  for (const length of runs) {
    const end = cluster + length
    while (cluster < end) {
      const stop = Math.min(end, cluster + CHUNK_ENTRIES - filled)
      while (cluster < stop) entries[filled++] = ++cluster
      if (cluster === end) entries[filled - 1] = END[type]
      if (filled < CHUNK_ENTRIES) continue
      yield encode(entries)
      filled = 0
    }
  }
  if (filled > 0) yield encode(entries.subarray(0, filled))
}

const ENCODERS: Readonly<Record<FatType, (entries: Uint32Array) => Buffer>> = {
  fat12(entries) {
    const bytes = Buffer.alloc(Math.ceil((entries.length * 3) / 2))
    for (let index = 0; index < entries.length; index += 2) {
      const pair = (entries[index] ?? 0) | ((entries[index + 1] ?? 0) << 12)
      const at = (index / 2) * 3
      bytes.writeUIntLE(pair, at, Math.min(3, bytes.length - at))
    }
    return bytes
  },
  fat16(entries) {
    const bytes = Buffer.from(Uint16Array.from(entries).buffer)
    return isBigEndian ? bytes.swap16() : bytes
  },
  fat32(entries) {
    const bytes = Buffer.from(entries.slice().buffer)
    return isBigEndian ? bytes.swap32() : bytes
  },
}

function readEntry(type: FatType, fat: Buffer, index: number): number {
  if (type === 'fat32') return fat.readUInt32LE(index * 4)
  if (type === 'fat16') return fat.readUInt16LE(index * 2)
  return (fat.readUIntLE(0, 3) >> (index * 12)) & 0xfff
}
