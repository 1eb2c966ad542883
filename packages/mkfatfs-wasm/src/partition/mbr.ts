/** A master boot record with one partition. Source: UEFI specification, 5.2. */
import { type Geometry, SECTOR_BYTES } from '../volume/geometry.ts'

/** Offsets in the sector. */
const DISK_SIGNATURE = 440
const FIRST_ENTRY = 446
/** “Too far for cylinder, head, sector”: what readers ignore in favour of the sector numbers. */
const NO_CHS = Buffer.from([0xfe, 0xff, 0xff])

/** Partition types. */
export const MBR_PROTECTIVE = 0xee
const MBR_EFI = 0xef
const SMALL_VOLUME_SECTORS = 0x10000

/** A partition of a master boot record. */
export interface MbrPartition {
  readonly type: number
  /** The first sector and the number of sectors. */
  readonly first: number
  readonly sectors: number
}

/** The type FatFs gives a volume: FAT12, small FAT16, FAT16, FAT32 by sector numbers; or EFI. */
export function mbrType({ type, sectors }: Geometry, partitionType: 'data' | 'efi'): number {
  if (partitionType === 'efi') return MBR_EFI
  if (type === 'fat32') return 0x0c
  if (sectors >= SMALL_VOLUME_SECTORS) return 0x06
  return type === 'fat16' ? 0x04 : 0x01
}

/** The first sector of a disk. `signature`: the number by which Windows and Linux tell disks apart. */
export function mbrSector({ type, first, sectors }: MbrPartition, signature: number): Buffer {
  const sector = Buffer.alloc(SECTOR_BYTES)
  sector.writeUInt32LE(signature, DISK_SIGNATURE)
  if (type === MBR_PROTECTIVE) sector.set([0x00, 0x02, 0x00], FIRST_ENTRY + 1)
  else NO_CHS.copy(sector, FIRST_ENTRY + 1)
  sector.writeUInt8(type, FIRST_ENTRY + 4)
  NO_CHS.copy(sector, FIRST_ENTRY + 5)
  sector.writeUInt32LE(first, FIRST_ENTRY + 8)
  sector.writeUInt32LE(sectors, FIRST_ENTRY + 12)
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}
