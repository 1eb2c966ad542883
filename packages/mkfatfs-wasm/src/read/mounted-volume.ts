/** A volume that FatFs has mounted. Converts errors of FatFs. */
import { MkfatfsError } from '../errors.ts'
import { fromFatTime } from '../fat-time.ts'
import { DIRECTORY, FatFs, type FatFsOptions } from '../fatfs/fatfs.ts'
import { FatFsError, RESULT } from '../fatfs/fatfs-error.ts'
import type { RawEntry } from '../fatfs/fatfs-types.ts'
import type { BlockDevice } from '../fatfs/module-imports.ts'
import type { ImageReader } from './image-reader.ts'
import type { LocatedVolume } from './locate-volume.ts'

/** An entry of a directory. */
export interface VolumeEntry {
  readonly name: string
  /** 8.3 name of an entry with a long name; else empty. */
  readonly shortName: string
  readonly isDirectory: boolean
  readonly size: number
  /** Milliseconds since 1970; undefined when the entry has no valid time. */
  readonly modified: number | undefined
  /** The attribute byte. */
  readonly attributes: number
}

/** A mounted volume. All methods except `mount` are synchronous. */
export class MountedVolume {
  readonly #fatfs: FatFs
  readonly #image: string

  /** @throws MkfatfsError `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED` */
  static async mount(located: LocatedVolume, options: FatFsOptions): Promise<MountedVolume> {
    const fatfs = await FatFs.load(new VolumeDevice(located), options)
    const volume = new MountedVolume(fatfs, located.reader.name)
    volume.attempt('/', () => fatfs.mount())
    return volume
  }

  private constructor(fatfs: FatFs, image: string) {
    this.#fatfs = fatfs
    this.#image = image
  }

  /** Returns the entries of a directory in stored order, without `.` and `..`. */
  entries(directory: string): VolumeEntry[] {
    return this.attempt(directory, () => this.#fatfs.readDirectory(directory)).map(toVolumeEntry)
  }

  /** Returns the entry at a path for FatFs; undefined if there is none. */
  stat(path: string): VolumeEntry | undefined {
    const entry = this.attempt(path, () => this.#fatfs.stat(path))
    return entry && toVolumeEntry(entry)
  }

  /** Yields the contents of a file in chunks. A chunk is valid until the next one is requested. */
  *contents(file: string): Generator<Uint8Array> {
    const pieces = this.#fatfs.readFile(file)
    try {
      for (;;) {
        const next = this.attempt(file, () => pieces.next())
        if (next.done) return
        yield next.value
      }
    } finally {
      pieces.return(undefined)
    }
  }

  /** @returns false when the volume is full */
  writeFile(file: string, contents: Uint8Array): boolean {
    return this.attempt(file, () => this.#fatfs.writeFile(file, contents))
  }

  remove(path: string): void {
    this.attempt(path, () => this.#fatfs.remove(path))
  }

  makeDirectory(path: string): void {
    this.attempt(path, () => this.#fatfs.makeDirectory(path))
  }

  rename(from: string, to: string): void {
    this.attempt(from, () => this.#fatfs.rename(from, to))
  }

  /** Calls a function. @throws MkfatfsError for an error of FatFs, with `path` */
  attempt<T>(path: string, call: () => T): T {
    try {
      return call()
    } catch (error) {
      if (error instanceof FatFsError) throw this.#translated(path, error)
      throw error
    }
  }

  #translated(path: string, cause: FatFsError): MkfatfsError {
    const options = { offenders: [path], cause }
    const image = `"${this.#image}"`
    const notFound: readonly number[] = [RESULT.noFile, RESULT.noPath, RESULT.invalidName]
    if (cause.result === RESULT.noFileSystem) {
      return new MkfatfsError('NOT_A_FAT_IMAGE', `FatFs finds no FAT volume in ${image}.`, { cause })
    }
    if (notFound.includes(cause.result)) {
      return new MkfatfsError('NOT_IN_IMAGE', `"${path}" is not in ${image}.`, options)
    }
    if (cause.result === RESULT.denied) {
      return new MkfatfsError('IMAGE_FULL', `"${path}" in ${image} cannot be changed or has no space.`, options)
    }
    const why = cause.result === RESULT.diskError ? 'it lies outside of the image' : `FatFs result ${cause.result}`
    return new MkfatfsError('IMAGE_DAMAGED', `"${path}" in ${image} cannot be read: ${why}.`, options)
  }
}

function toVolumeEntry({ name, shortName, size, date, time, attributes }: RawEntry): VolumeEntry {
  return {
    name,
    shortName,
    isDirectory: (attributes & DIRECTORY) !== 0,
    size,
    modified: fromFatTime({ date, time }),
    attributes,
  }
}

/** Block device for FatFs: a part of an image. Sector 0 is the start of the volume. */
class VolumeDevice implements BlockDevice {
  readonly sectors: number
  readonly sectorBytes: number
  readonly alignment = 1
  readonly write?: (source: Uint8Array, sector: number) => boolean
  readonly #reader: ImageReader
  readonly #start: number

  constructor({ reader, start, geometry }: LocatedVolume) {
    this.sectors = geometry.sectors
    this.sectorBytes = geometry.sectorBytes
    this.#reader = reader
    this.#start = start
    const { write } = reader
    if (write === undefined) return
    this.write = (source, sector) => {
      const position = this.#start + sector * this.sectorBytes
      if (position + source.length > reader.size) return false
      write(source, position)
      return true
    }
  }

  read(target: Uint8Array, sector: number): boolean {
    return this.#reader.readInto(target, this.#start + sector * this.sectorBytes)
  }
}
