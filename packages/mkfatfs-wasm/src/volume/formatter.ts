/**
 * Formats volumes with FatFs, which selects type, cluster size and layout. The volume is in memory, and only sectors that are not
 * zero are kept. Formatting takes about a millisecond, so that many sizes can be tried.
 */
import { MkfatfsError } from '../errors.ts'
import { FatFs } from '../fatfs/fatfs.ts'
import type { BlockDevice } from '../fatfs/module-imports.ts'
import { type Geometry, parseBootSector } from './geometry.ts'

/** Properties of a volume that are fixed while sizes are tried. */
export interface VolumeFormat {
  /** Bytes per sector. */
  readonly sectorBytes: number
  /** Copies of the FAT. */
  readonly fats: 1 | 2
  /** Alignment of the data area, in sectors; a power of two. */
  readonly alignment: number
}

/** A volume to format. */
export interface FormatRequest extends VolumeFormat {
  readonly sectors: number
  /** `'small'` is FAT12 or FAT16, by the number of clusters. */
  readonly family: 'any' | 'small' | 'fat32'
  /** Sectors per cluster; 0 for the choice of FatFs. */
  readonly sectorsPerCluster: number
  /** Slots of the root directory of FAT12 and FAT16: at most 32,768, in whole sectors. */
  readonly rootSlots: number
}

/** An empty volume. */
export interface FormattedVolume {
  readonly geometry: Geometry
  /** Sector number → contents, of the sectors that are not zero. */
  readonly sectors: ReadonlyMap<number, Uint8Array>
}

/** Formats a volume. Returns undefined if FatFs cannot create such a volume. */
export type Formatter = (request: FormatRequest) => FormattedVolume | undefined

const FAMILIES = { any: 3, small: 1, fat32: 2 } as const

let loaded: Promise<Formatter> | undefined

/** Loads FatFs once, because compiling it takes longer than making a small image. The formatter keeps no state. */
export function loadFormatter(): Promise<Formatter> {
  loaded ??= createFormatter()
  return loaded
}

async function createFormatter(): Promise<Formatter> {
  const fatfs = await FatFs.load(new MemoryDevice({ sectors: 0, sectorBytes: 512, alignment: 1 }))
  return (request) => {
    const { fats, family, rootSlots, sectors, sectorBytes, sectorsPerCluster } = request
    const device = new MemoryDevice(request)
    fatfs.device = device
    const clusterBytes = sectorsPerCluster * sectorBytes
    if (!fatfs.format({ families: FAMILIES[family], fats, rootSlots, clusterBytes })) return undefined
    const boot = device.written.get(0)
    const geometry = boot && parseBootSector(boot)
    if (geometry === undefined) throw new MkfatfsError('WRITE_FAILED', `FatFs could not format ${sectors} sectors.`)
    return { geometry, sectors: device.written }
  }
}

/** A disk in memory that stores only sectors that are not zero. */
class MemoryDevice implements BlockDevice {
  readonly sectors: number
  readonly sectorBytes: number
  readonly alignment: number
  readonly written = new Map<number, Uint8Array>()

  constructor({ sectors, sectorBytes, alignment }: Pick<FormatRequest, 'sectors' | 'sectorBytes' | 'alignment'>) {
    this.sectors = sectors
    this.sectorBytes = sectorBytes
    this.alignment = alignment
  }

  read(target: Uint8Array, first: number): boolean {
    for (let start = 0; start < target.length; start += this.sectorBytes) {
      const sector = this.written.get(first + start / this.sectorBytes)
      if (sector === undefined) target.fill(0, start, start + this.sectorBytes)
      else target.set(sector, start)
    }
    return true
  }

  write(source: Uint8Array, first: number): boolean {
    for (let start = 0; start < source.length; start += this.sectorBytes) {
      const sector = source.subarray(start, start + this.sectorBytes)
      const number = first + start / this.sectorBytes
      if (!isZero(sector)) this.written.set(number, sector.slice())
      else this.written.delete(number)
    }
    return true
  }
}

/** Uses a loop, because a callback per byte takes longer than formatting. */
function isZero(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false
  return true
}
