/** A master boot record. Source: UEFI specification, 5.2. */
import { viewOf } from '../byte-view.ts'
import type { Geometry } from '../volume/geometry.ts'

/** Bytes of code in front of the table. */
export const MBR_CODE_BYTES = 440
/** Entries of the table. */
export const MBR_ENTRIES = 4
/** The partition type of a disk with a GPT. */
export const MBR_PROTECTIVE = 0xee

const SECTOR_BYTES = 512
const DISK_SIGNATURE = 440
const FIRST_ENTRY = 446
const ENTRY_BYTES = 16
/** Cylinder, head and sector of a position that is too large for them. Readers use the block numbers instead. */
const NO_CHS = [0xfe, 0xff, 0xff]
const MBR_EFI = 0xef
const SMALL_VOLUME_BYTES = 2 ** 25

/** A partition of a master boot record. */
export interface MbrPartition {
  readonly type: number
  /** The first block and the number of blocks. */
  readonly first: number
  readonly blocks: number
}

/** Returns the partition type that FatFs uses for a volume (FAT12, small FAT16, FAT16, FAT32 with LBA), or that of EFI. */
export function mbrType({ type, sectors, sectorBytes }: Geometry, partitionType: string | number): number {
  if (typeof partitionType === 'number') return partitionType
  if (partitionType === 'efi') return MBR_EFI
  if (type === 'fat32') return 0x0c
  if (sectors * sectorBytes >= SMALL_VOLUME_BYTES) return 0x06
  return type === 'fat16' ? 0x04 : 0x01
}

/**
 * Returns the first sector of a disk.
 * @param signature number with which Windows and Linux identify the disk
 * @param code up to 440 bytes that a BIOS runs, or undefined
 */
export function mbrSector(
  partitions: readonly MbrPartition[],
  signature: number,
  code: Uint8Array | undefined,
): Uint8Array {
  const sector = new Uint8Array(SECTOR_BYTES)
  const view = viewOf(sector)
  if (code !== undefined) sector.set(code)
  view.setUint32(DISK_SIGNATURE, signature, true)
  for (const [index, { type, first, blocks }] of partitions.entries()) {
    const entry = FIRST_ENTRY + index * ENTRY_BYTES
    sector.set(type === MBR_PROTECTIVE ? [0x00, 0x02, 0x00] : NO_CHS, entry + 1)
    view.setUint8(entry + 4, type)
    sector.set(NO_CHS, entry + 5)
    view.setUint32(entry + 8, first, true)
    view.setUint32(entry + 12, blocks, true)
  }
  view.setUint16(SECTOR_BYTES - 2, 0xaa55, true)
  return sector
}
