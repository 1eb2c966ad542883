/** The window of an image that FatFs takes for a disk. */
import * as FatFs from 'js-fatfs'
import type { ImageReader } from './image-reader.ts'
import type { LocatedVolume } from './locate-volume.ts'

const WRITE_PROTECTED = FatFs.STA_PROTECT

/** Sector 0 is the start of the volume. */
export class ReadOnlyDevice implements FatFs.DiskIO {
  readonly #image: ImageReader
  readonly #volume: LocatedVolume

  constructor(image: ImageReader, volume: LocatedVolume) {
    this.#image = image
    this.#volume = volume
  }

  initialize(): number {
    return WRITE_PROTECTED
  }

  status(): number {
    return WRITE_PROTECTED
  }

  read(fatfs: FatFs.FatFs, _drive: number, target: number, sector: number, count: number): number {
    const { offset, geometry } = this.#volume
    // Sector numbers are 32 bits without a sign.
    const position = offset + (sector >>> 0) * geometry.sectorBytes
    const length = count * geometry.sectorBytes
    return this.#image.readInto(fatfs.HEAPU8, target, length, position) ? FatFs.RES_OK : FatFs.RES_ERROR
  }

  write(): number {
    return FatFs.RES_WRPRT
  }

  ioctl(fatfs: FatFs.FatFs, _drive: number, command: number, target: number): number {
    const { sectors, sectorBytes } = this.#volume.geometry
    if (command === FatFs.GET_SECTOR_COUNT) fatfs.setValue(target, sectors, 'i32')
    else if (command === FatFs.GET_SECTOR_SIZE) fatfs.setValue(target, sectorBytes, 'i16')
    else if (command !== FatFs.CTRL_SYNC) return FatFs.RES_PARERR
    return FatFs.RES_OK
  }
}
