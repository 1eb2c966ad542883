/** Reads the size of the disk in a VHDX image. Structures and identifiers: [MS-VHDX] 2.2.3 and 2.6. */

/** Reads `length` bytes at `offset`, or fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Buffer

const REGION_TABLE = { offset: 192 * 1024, length: 64 * 1024, entrySize: 32, firstEntry: 16 }
const METADATA_TABLE = { length: 64 * 1024, entrySize: 32, firstEntry: 32 }

// GUIDs in the byte order of the file, where the first three groups are little-endian.
const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e'
const VIRTUAL_DISK_SIZE = '2442a52f1bcd7648b2115dbed83bf4b8'

/** Size of the disk, bytes; undefined if the tables do not contain it. */
export function readVhdxSize(readAt: ReadAt): number | undefined {
  const regions = readAt(REGION_TABLE.offset, REGION_TABLE.length)
  const region = findEntry(regions, 'regi', 8, REGION_TABLE, METADATA_REGION)
  if (!region) return undefined
  const start = Number(region.readBigUInt64LE(16))
  const items = readAt(start, METADATA_TABLE.length)
  const item = findEntry(items, 'metadata', 10, METADATA_TABLE, VIRTUAL_DISK_SIZE)
  if (!item) return undefined
  const value = readAt(start + item.readUInt32LE(16), 8)
  const size = value.length === 8 ? Number(value.readBigUInt64LE()) : 0
  return size > 0 && size % 512 === 0 && Number.isSafeInteger(size) ? size : undefined
}

function findEntry(
  table: Buffer,
  signature: string,
  countAt: number,
  { firstEntry, entrySize }: { readonly firstEntry: number; readonly entrySize: number },
  guid: string,
): Buffer | undefined {
  if (table.toString('latin1', 0, signature.length) !== signature) return undefined
  const count = table.readUInt16LE(countAt)
  for (let index = 0; index < count; index++) {
    const start = firstEntry + index * entrySize
    const entry = table.subarray(start, start + entrySize)
    if (entry.length === entrySize && entry.toString('hex', 0, 16) === guid) return entry
  }
  return undefined
}
