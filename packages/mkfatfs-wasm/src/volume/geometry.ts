/** Layout of a FAT volume, read from its boot sector. Source: Microsoft's FAT specification. */
import { viewOf } from '../byte-view.ts'

/** The kinds of FAT. */
export type FatType = 'fat12' | 'fat16' | 'fat32'

/** Bytes per sector that FatFs and other systems support. */
export const SECTOR_SIZES = [512, 1024, 2048, 4096] as const

/** Size of the part of the boot sector with fields, and of the smallest sector, bytes. */
export const BOOT_SECTOR_BYTES = 512

/** The number of the first cluster. */
export const FIRST_CLUSTER = 2

/** Largest number of clusters of FAT12 and FAT16 in FatFs (`MAX_FAT12`, `MAX_FAT16`). */
export const MOST_CLUSTERS = { fat12: 0xff5, fat16: 0xfff5 } as const

/** Offsets in the boot sector of fields that differ between FAT32 and the others. */
export const BOOT_FIELDS = {
  fat12: { volumeId: 39, label: 43, typeName: 54, code: 62 },
  fat16: { volumeId: 39, label: 43, typeName: 54, code: 62 },
  fat32: { volumeId: 67, label: 71, typeName: 82, code: 90 },
} as const

/** A volume. Positions and sizes are in sectors of `sectorBytes`, from the start of the volume. */
export interface Geometry {
  readonly type: FatType
  readonly sectorBytes: number
  readonly sectors: number
  readonly sectorsPerCluster: number
  /** First sector of the first FAT. */
  readonly fatStart: number
  readonly fats: number
  readonly fatSectors: number
  /** Slots of the root directory; 0 for FAT32, whose root is a chain of clusters like any other directory. */
  readonly rootSlots: number
  readonly rootStart: number
  /** First cluster of the root directory for FAT32, else 0. */
  readonly rootCluster: number
  /** First sector of the first cluster. */
  readonly dataStart: number
  /** Number of data clusters. The last cluster has the number `clusters + 1`. */
  readonly clusters: number
}

/** Parses a boot sector of at least 512 bytes. Returns undefined for other bytes. */
export function parseBootSector(bytes: Uint8Array): Geometry | undefined {
  const sector = viewOf(bytes)
  const sectorBytes = sector.getUint16(11, true)
  const sectorsPerCluster = sector.getUint8(13)
  const fatStart = sector.getUint16(14, true)
  const fats = sector.getUint8(16)
  const rootSlots = sector.getUint16(17, true)
  const sectors = sector.getUint16(19, true) || sector.getUint32(32, true)
  const fatSectors = sector.getUint16(22, true) || sector.getUint32(36, true)
  const isPlausible =
    SECTOR_SIZES.some((size) => size === sectorBytes) &&
    isPowerOfTwo(sectorsPerCluster) &&
    fatStart > 0 &&
    (fats === 1 || fats === 2) &&
    fatSectors > 0 &&
    sector.getUint8(21) >= 0xf0 &&
    sector.getUint16(510, true) === 0xaa55
  if (!isPlausible) return undefined
  const isFat32 = sector.getUint16(22, true) === 0
  const rootStart = fatStart + fats * fatSectors
  const dataStart = rootStart + Math.ceil((rootSlots * 32) / sectorBytes)
  const clusters = Math.floor((sectors - dataStart) / sectorsPerCluster)
  if (clusters < 1) return undefined
  return {
    type: isFat32 ? 'fat32' : clusters <= MOST_CLUSTERS.fat12 ? 'fat12' : 'fat16',
    sectorBytes,
    sectors,
    sectorsPerCluster,
    fatStart,
    fats,
    fatSectors,
    rootSlots,
    rootStart,
    rootCluster: isFat32 ? sector.getUint32(44, true) : 0,
    dataStart,
    clusters,
  }
}

/** Bytes of a cluster. */
export function clusterBytes({ sectorsPerCluster, sectorBytes }: Geometry): number {
  return sectorsPerCluster * sectorBytes
}

/** Start of a cluster, in bytes from the start of the volume. */
export function clusterOffset(geometry: Geometry, cluster: number): number {
  return (geometry.dataStart + (cluster - FIRST_CLUSTER) * geometry.sectorsPerCluster) * geometry.sectorBytes
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0
}
