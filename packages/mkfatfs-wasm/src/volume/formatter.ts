/**
 * FatFs as the formatter: it decides type, cluster size and layout. It formats into memory, where of all it writes the
 * few sectors are kept that are not zero: a format costs a millisecond, so that sizes can be tried out.
 */
import * as FatFs from 'js-fatfs'
import { MkfatfsError } from '../errors.ts'
import { type Geometry, parseBootSector, SECTOR_BYTES } from './geometry.ts'

/** What FatFs is asked for. */
export interface FormatRequest {
  /** Sectors of the volume. */
  readonly sectors: number
  /** `'small'` is FAT12 or FAT16, by the number of clusters. */
  readonly family: 'any' | 'small' | 'fat32'
  /** Sectors of a cluster; 0 leaves it to FatFs. */
  readonly sectorsPerCluster: number
  /** Slots of the root directory of FAT12 and FAT16: a multiple of 16, at most 32,768. */
  readonly rootSlots: number
}

/** An empty volume. */
export interface FormattedVolume {
  readonly geometry: Geometry
  /** Sector number → contents, of the sectors that are not zero. */
  readonly sectors: ReadonlyMap<number, Buffer>
}

/** Formats; undefined when FatFs finds that no volume as asked for is possible. */
export type Formatter = (request: FormatRequest) => FormattedVolume | undefined

const FAMILIES = {
  any: FatFs.FM_FAT | FatFs.FM_FAT32,
  small: FatFs.FM_FAT,
  fat32: FatFs.FM_FAT32,
} as const

/** Sectors that the data area is aligned to: the 4 KiB of a page, so that holes and writes fit those of the host. */
const ALIGNMENT = 8
const WORK_BYTES = 2 ** 17
const ZEROS = Buffer.alloc(SECTOR_BYTES)

let loaded: Promise<Formatter> | undefined

/** FatFs as a formatter, loaded once: to compile it takes longer than to make a small image. It keeps no state. */
export function loadFormatter(): Promise<Formatter> {
  loaded ??= createFormatter()
  return loaded
}

async function createFormatter(): Promise<Formatter> {
  const device = new MemoryDevice()
  const fatfs = await FatFs.create({ diskio: device })
  const work = fatfs.malloc(WORK_BYTES)
  return ({ sectors, family, sectorsPerCluster, rootSlots }) => {
    device.begin(sectors)
    const parameters = {
      fmt: FAMILIES[family] | FatFs.FM_SFD,
      n_fat: 2,
      align: ALIGNMENT,
      n_root: rootSlots,
      au_size: sectorsPerCluster * SECTOR_BYTES,
    }
    const result = withoutZoneNames(() => fatfs.f_mkfs('', parameters, work, WORK_BYTES))
    if (result === FatFs.FR_MKFS_ABORTED) return undefined
    const boot = device.written.get(0)
    const geometry = boot && parseBootSector(boot)
    if (result !== FatFs.FR_OK || geometry === undefined) {
      throw new MkfatfsError('WRITE_FAILED', `FatFs could not format ${sectors} sectors (result ${result}).`)
    }
    return { geometry, sectors: device.written }
  }
}

/**
 * FatFs asks for the time, for a serial number that is replaced later, and its C library asks for the names of the time
 * zones, which nobody uses: to load them would take 20 ms, more than all the rest. `call` is synchronous, nobody else
 * sees the change.
 */
function withoutZoneNames<T>(call: () => T): T {
  const key = 'toLocaleTimeString'
  const own = Object.getOwnPropertyDescriptor(Date.prototype, key)
  Object.defineProperty(Date.prototype, key, { ...own, value: () => '00:00:00 UTC' })
  try {
    return call()
  } finally {
    if (own !== undefined) Object.defineProperty(Date.prototype, key, own)
  }
}

/** A disk of zeros that keeps what else is written. */
class MemoryDevice implements FatFs.DiskIO {
  written = new Map<number, Buffer>()
  #sectors = 0

  begin(sectors: number): void {
    this.#sectors = sectors
    this.written = new Map()
  }

  initialize(): number {
    return 0
  }

  status(): number {
    return 0
  }

  read(fatfs: FatFs.FatFs, _drive: number, target: number, first: number, count: number): number {
    for (let index = 0; index < count; index++) {
      fatfs.HEAPU8.set(this.written.get(first + index) ?? ZEROS, target + index * SECTOR_BYTES)
    }
    return FatFs.RES_OK
  }

  write(fatfs: FatFs.FatFs, _drive: number, source: number, first: number, count: number): number {
    const bytes = Buffer.from(fatfs.HEAPU8.buffer, source, count * SECTOR_BYTES)
    for (let index = 0; index < count; index++) {
      const sector = bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES)
      if (!sector.equals(ZEROS)) this.written.set(first + index, Buffer.from(sector))
      else this.written.delete(first + index)
    }
    return FatFs.RES_OK
  }

  ioctl(fatfs: FatFs.FatFs, _drive: number, command: number, target: number): number {
    if (command === FatFs.GET_SECTOR_COUNT) fatfs.setValue(target, this.#sectors, 'i32')
    else if (command === FatFs.GET_SECTOR_SIZE) fatfs.setValue(target, SECTOR_BYTES, 'i16')
    else if (command === FatFs.GET_BLOCK_SIZE) fatfs.setValue(target, ALIGNMENT, 'i32')
    else if (command !== FatFs.CTRL_SYNC) return FatFs.RES_PARERR
    return FatFs.RES_OK
  }
}
