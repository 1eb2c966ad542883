/** FatFs reading a volume: what was written here by other code is read back by another’s. */
import * as FatFs from 'js-fatfs'
import { MkfatfsError } from '../errors.ts'
import { fromFatTime } from '../fat-time.ts'
import type { ImageReader } from './image-reader.ts'
import type { LocatedVolume } from './locate-volume.ts'
import { ReadOnlyDevice } from './read-only-device.ts'

/** An entry of a directory, as FatFs tells it. */
export interface RawEntry {
  readonly name: string
  /** The 8.3 name of an entry with a long name, else empty. */
  readonly shortName: string
  readonly isDirectory: boolean
  readonly size: number
  /** Milliseconds since 1970; undefined when the entry has no valid time. */
  readonly modified: number | undefined
  /** The attribute byte. */
  readonly attributes: number
}

const CHUNK_BYTES = 2 ** 20

/** A volume that FatFs has mounted, for reading. All its work is synchronous. */
export class MountedVolume {
  readonly #fatfs: FatFs.FatFs
  readonly #image: string

  /** @throws MkfatfsError `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED` */
  static async mount(image: ImageReader, volume: LocatedVolume, codePage: number): Promise<MountedVolume> {
    const fatfs = await FatFs.create({ diskio: new ReadOnlyDevice(image, volume), codepage: codePage })
    return new MountedVolume(fatfs, image.path)
  }

  private constructor(fatfs: FatFs.FatFs, image: string) {
    this.#fatfs = fatfs
    this.#image = image
    const result = fatfs.f_mount(fatfs.malloc(FatFs.sizeof_FATFS), '', 1)
    if (result === FatFs.FR_NO_FILESYSTEM) {
      throw new MkfatfsError('NOT_A_FAT_IMAGE', `FatFs finds no FAT volume in "${image}".`)
    }
    this.#check(result, '/')
  }

  /** The entries of a directory, without `.` and `..`, in its own order. */
  entries(directory: string): RawEntry[] {
    const fatfs = this.#fatfs
    const found: RawEntry[] = []
    const handle = fatfs.malloc(FatFs.sizeof_DIR)
    const entry = fatfs.malloc(FatFs.sizeof_FILINFO)
    try {
      this.#check(fatfs.f_opendir(handle, directory), directory)
      for (;;) {
        this.#check(fatfs.f_readdir(handle, entry), directory)
        const name = fatfs.FILINFO_fname(entry)
        if (name === '') return found
        const attributes = fatfs.FILINFO_fattrib(entry)
        found.push({
          name,
          shortName: fatfs.FILINFO_altname(entry),
          isDirectory: (attributes & FatFs.AM_DIR) !== 0,
          size: fatfs.FILINFO_fsize(entry),
          modified: fromFatTime({ date: fatfs.FILINFO_fdate(entry), time: fatfs.FILINFO_ftime(entry) }),
          attributes,
        })
      }
    } finally {
      fatfs.free(entry)
      fatfs.free(handle)
    }
  }

  /** The contents of a file in pieces of at most 1 MiB. A piece is good until the next one is asked for. */
  *contents(file: string): Generator<Uint8Array> {
    const fatfs = this.#fatfs
    const handle = fatfs.malloc(FatFs.sizeof_FIL)
    const count = fatfs.malloc(4)
    const chunk = fatfs.malloc(CHUNK_BYTES)
    try {
      this.#check(fatfs.f_open(handle, file, FatFs.FA_READ), file)
      for (let left = fatfs.f_size(handle); left > 0; ) {
        this.#check(fatfs.f_read(handle, chunk, CHUNK_BYTES, count), file)
        const bytes = fatfs.getValue(count, 'i32')
        if (bytes === 0) throw this.#damaged(file, 'it ends early')
        yield fatfs.HEAPU8.subarray(chunk, chunk + bytes)
        left -= bytes
      }
    } finally {
      fatfs.free(chunk)
      fatfs.free(count)
      fatfs.free(handle)
    }
  }

  #check(result: number, path: string): void {
    if (result === FatFs.FR_OK) return
    if ([FatFs.FR_NO_FILE, FatFs.FR_NO_PATH, FatFs.FR_INVALID_NAME].includes(result)) {
      throw new MkfatfsError('NOT_IN_IMAGE', `"${path}" is not in "${this.#image}".`, { offenders: [path] })
    }
    throw this.#damaged(path, result === FatFs.FR_DISK_ERR ? 'it lies outside of the image' : `FatFs result ${result}`)
  }

  #damaged(path: string, why: string): MkfatfsError {
    const message = `"${path}" in "${this.#image}" cannot be read: ${why}.`
    return new MkfatfsError('IMAGE_DAMAGED', message, { offenders: [path] })
  }
}
