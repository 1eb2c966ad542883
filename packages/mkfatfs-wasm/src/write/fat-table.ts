/** Encodes the file allocation table, which contains the next cluster of each cluster. Streamed, because the layout has only runs. */
import { viewOf } from '../byte-view.ts'
import type { FatType } from '../volume/geometry.ts'

/** Number of entries per chunk. A multiple of 2, because two entries of FAT12 share three bytes. */
const CHUNK_ENTRIES = 2 ** 16
/** Number of entries without a cluster at the start, which FatFs has written. */
const RESERVED_ENTRIES = 2

/** Whether typed arrays have the byte order of FAT, as on nearly all hosts. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

const END: Readonly<Record<FatType, number>> = { fat12: 0xfff, fat16: 0xffff, fat32: 0x0fffffff }

/**
 * Yields the bytes of a FAT in chunks, from its start to its last used entry.
 * @param reserved at least the first 8 bytes of the formatted FAT
 * @param runs lengths of the runs of clusters that follow each other from cluster 2 on
 */
export function* encodeFat(type: FatType, reserved: Uint8Array, runs: readonly number[]): Generator<Uint8Array> {
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

const ENCODERS: Readonly<Record<FatType, (entries: Uint32Array) => Uint8Array>> = {
  fat12(entries) {
    const bytes = new Uint8Array(Math.ceil((entries.length * 3) / 2))
    for (let index = 0; index < entries.length; index += 2) {
      const pair = (entries[index] ?? 0) | ((entries[index + 1] ?? 0) << 12)
      const at = (index / 2) * 3
      bytes[at] = pair
      bytes[at + 1] = pair >>> 8
      if (at + 2 < bytes.length) bytes[at + 2] = pair >>> 16
    }
    return bytes
  },
  fat16(entries) {
    if (isLittleEndian) return new Uint8Array(Uint16Array.from(entries).buffer)
    const bytes = new Uint8Array(entries.length * 2)
    const view = viewOf(bytes)
    for (const [index, entry] of entries.entries()) view.setUint16(index * 2, entry, true)
    return bytes
  },
  fat32(entries) {
    if (isLittleEndian) return new Uint8Array(entries.slice().buffer)
    const bytes = new Uint8Array(entries.length * 4)
    const view = viewOf(bytes)
    for (const [index, entry] of entries.entries()) view.setUint32(index * 4, entry, true)
    return bytes
  },
}

function readEntry(type: FatType, fat: Uint8Array, index: number): number {
  const view = viewOf(fat)
  if (type === 'fat32') return view.getUint32(index * 4, true)
  if (type === 'fat16') return view.getUint16(index * 2, true)
  return (view.getUint32(0, true) >>> (index * 12)) & 0xfff
}
