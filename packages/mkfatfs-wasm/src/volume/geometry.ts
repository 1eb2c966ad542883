/** Where the parts of a FAT volume lie, read from its boot sector. Source: Microsoft’s FAT specification. */

/** The kinds of FAT. */
export type FatType = 'fat12' | 'fat16' | 'fat32'

/** Bytes of a sector in the images made here. Images of others may have 1024, 2048 or 4096. */
export const SECTOR_BYTES = 512

/** The number of the first cluster. */
export const FIRST_CLUSTER = 2

/** The most clusters that FatFs makes FAT12 or FAT16 of (`MAX_FAT12`, `MAX_FAT16`). */
export const MOST_CLUSTERS = { fat12: 0xff5, fat16: 0xfff5 } as const

/** Offsets in the boot sector of fields that differ between FAT32 and the others. */
export const BOOT_FIELDS = {
  fat12: { volumeId: 39, label: 43 },
  fat16: { volumeId: 39, label: 43 },
  fat32: { volumeId: 67, label: 71 },
} as const

/** A volume. Positions and sizes are in sectors of `sectorBytes`, from the start of the volume. */
export interface Geometry {
  readonly type: FatType
  readonly sectorBytes: number
  readonly sectors: number
  readonly sectorsPerCluster: number
  /** Where the first FAT begins. */
  readonly fatStart: number
  readonly fats: number
  readonly fatSectors: number
  /** Slots of the root directory; 0 with FAT32, where it is a chain of clusters like any other. */
  readonly rootSlots: number
  readonly rootStart: number
  /** First cluster of the root directory with FAT32, else 0. */
  readonly rootCluster: number
  /** Where the first cluster begins. */
  readonly dataStart: number
  /** Data clusters: the last has the number `clusters + 1`. */
  readonly clusters: number
}

/** Reads a boot sector; undefined when it is none. */
export function parseBootSector(sector: Buffer): Geometry | undefined {
  const sectorBytes = sector.readUInt16LE(11)
  const sectorsPerCluster = sector.readUInt8(13)
  const fatStart = sector.readUInt16LE(14)
  const fats = sector.readUInt8(16)
  const rootSlots = sector.readUInt16LE(17)
  const sectors = sector.readUInt16LE(19) || sector.readUInt32LE(32)
  const fatSectors = sector.readUInt16LE(22) || sector.readUInt32LE(36)
  const isPlausible =
    [512, 1024, 2048, 4096].includes(sectorBytes) &&
    isPowerOfTwo(sectorsPerCluster) &&
    fatStart > 0 &&
    (fats === 1 || fats === 2) &&
    fatSectors > 0 &&
    sector.readUInt8(21) >= 0xf0 &&
    sector.readUInt16LE(510) === 0xaa55
  if (!isPlausible) return undefined
  const isFat32 = sector.readUInt16LE(22) === 0
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
    rootCluster: isFat32 ? sector.readUInt32LE(44) : 0,
    dataStart,
    clusters,
  }
}

/** Bytes of a cluster. */
export function clusterBytes({ sectorsPerCluster, sectorBytes }: Geometry): number {
  return sectorsPerCluster * sectorBytes
}

/** Where a cluster begins, in bytes from the start of the volume. */
export function clusterOffset(geometry: Geometry, cluster: number): number {
  return (geometry.dataStart + (cluster - FIRST_CLUSTER) * geometry.sectorsPerCluster) * geometry.sectorBytes
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0
}
