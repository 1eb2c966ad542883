/** Positions of volumes in an image, and the bytes of its partition table. */
import type { PartitionTable } from '../options.ts'
import type { Geometry } from '../volume/geometry.ts'
import type { Guid } from '../volume/identity.ts'
import type { Chunk } from '../write/write-image.ts'
import { gptCopyBlocks, gptEnd, gptStart } from './gpt.ts'
import { MBR_ENTRIES, MBR_PROTECTIVE, mbrSector, mbrType } from './mbr.ts'

/** The usual alignment of partitions: 1 MiB. */
const PARTITION_ALIGNMENT = 2 ** 20
const MAX_BLOCKS = 0xffffffff

/** Bytes of the image after the last partition. */
export function bytesAfter(table: PartitionTable, blockBytes: number): number {
  return table === 'gpt' || table === 'hybrid' ? gptCopyBlocks(blockBytes) * blockBytes : 0
}

/** Start of the next partition, in bytes. @param end of the previous one, or 0 */
export function nextPartition(table: PartitionTable, end: number): number {
  if (table === 'none') return end
  return Math.max(1, Math.ceil(end / PARTITION_ALIGNMENT)) * PARTITION_ALIGNMENT
}

/** A partition with its position. */
export interface PlacedPartition {
  /** Start in the image, in bytes. */
  readonly offset: number
  readonly geometry: Geometry
  readonly type: string | number
  readonly name: string
  readonly guid: Guid
}

/** Layout of a disk. */
export interface DiskPlan {
  readonly table: PartitionTable
  /** Bytes of the image. */
  readonly size: number
  readonly blockBytes: number
  readonly partitions: readonly PlacedPartition[]
  readonly guid: Guid
  /** The disk signature of an MBR. */
  readonly signature: number
  readonly mbrCode: Uint8Array | undefined
}

/** Returns the bytes of the partition table. */
export function partitionTableChunks(disk: DiskPlan): Chunk[] {
  const { table, size, blockBytes, partitions, guid, signature, mbrCode } = disk
  if (table === 'none') return []
  const blocks = size / blockBytes
  const placed = partitions.map(({ offset, geometry, type, name, guid }) => {
    const first = offset / blockBytes
    return { type, name, guid, geometry, first, blocks: geometry.sectors, last: first + geometry.sectors - 1 }
  })
  const listed = placed.map(({ geometry, type, first, blocks }) => ({ type: mbrType(geometry, type), first, blocks }))
  if (table === 'mbr') return [{ offset: 0, bytes: mbrSector(listed, signature, mbrCode) }]
  const last = table === 'gpt' ? blocks : (placed[0]?.first ?? blocks)
  const protective = { type: MBR_PROTECTIVE, first: 1, blocks: Math.min(last - 1, MAX_BLOCKS) }
  const entries = table === 'gpt' ? [protective] : [protective, ...listed].slice(0, MBR_ENTRIES)
  const gpt = {
    blocks,
    blockBytes,
    guid,
    partitions: placed.map((partition) => ({ ...partition, type: String(partition.type) })),
  }
  return [
    { offset: 0, bytes: mbrSector(entries, table === 'gpt' ? 0 : signature, mbrCode) },
    { offset: blockBytes, bytes: gptStart(gpt) },
    { offset: (blocks - gptCopyBlocks(blockBytes)) * blockBytes, bytes: gptEnd(gpt) },
  ]
}
