/** What of the image is not the volume: room for a partition table, and its bytes. */
import type { Geometry } from '../volume/geometry.ts'
import { SECTOR_BYTES } from '../volume/geometry.ts'
import type { Identity } from '../volume/identity.ts'
import { GPT_COPY_SECTORS, gptEnd, gptStart } from './gpt.ts'
import { MBR_PROTECTIVE, mbrSector, mbrType } from './mbr.ts'

/** Sectors around the volume. */
export interface DiskLayout {
  readonly before: number
  readonly after: number
}

/** 1 MiB, where every tool begins the first partition. */
const FIRST_PARTITION = 2048

/** Room around the volume, in sectors. */
export const DISK_LAYOUTS: Readonly<Record<'mbr' | 'gpt' | 'none', DiskLayout>> = {
  none: { before: 0, after: 0 },
  mbr: { before: FIRST_PARTITION, after: 0 },
  gpt: { before: FIRST_PARTITION, after: GPT_COPY_SECTORS },
}

/** Bytes at a place in the image. */
export interface Chunk {
  /** From the start of the image. */
  readonly offset: number
  readonly bytes: Buffer
}

/** What the tables tell. */
export interface PartitionTableOptions {
  readonly partition: 'mbr' | 'gpt' | 'none'
  readonly partitionType: 'data' | 'efi'
  /** Sectors of the whole image. */
  readonly diskSectors: number
  readonly geometry: Geometry
  readonly identity: Identity
  readonly label: string | undefined
}

/** The bytes of the partition table. */
export function partitionTable(options: PartitionTableOptions): Chunk[] {
  const { partition, partitionType, diskSectors, geometry, identity, label } = options
  if (partition === 'none') return []
  const first = DISK_LAYOUTS[partition].before
  if (partition === 'mbr') {
    const type = mbrType(geometry, partitionType)
    return [{ offset: 0, bytes: mbrSector({ type, first, sectors: geometry.sectors }, identity.volumeId) }]
  }
  const last = first + geometry.sectors - 1
  const disk = { ...identity, diskSectors, partitionType, first, last, name: label ?? '' }
  const rest = Math.min(diskSectors - 1, 0xffffffff)
  return [
    { offset: 0, bytes: mbrSector({ type: MBR_PROTECTIVE, first: 1, sectors: rest }, 0) },
    { offset: SECTOR_BYTES, bytes: gptStart(disk) },
    { offset: (diskSectors - GPT_COPY_SECTORS) * SECTOR_BYTES, bytes: gptEnd(disk) },
  ]
}
