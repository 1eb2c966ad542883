/** An image opened for reading: made here, by mkfs.fat, mtools, or any other tool. */
import { MkfatfsError } from '../errors.ts'
import type { Partitioning } from '../options.ts'
import { clusterBytes, type FatType } from '../volume/geometry.ts'
import { SLOT_BYTES } from '../volume/slots.ts'
import { type ExtractOptions, extractTree } from './extract-tree.ts'
import { ImageReader } from './image-reader.ts'
import { type ListedEntry, listTree, resolvePath } from './list-tree.ts'
import { type LocatedVolume, locateVolume } from './locate-volume.ts'
import { MountedVolume } from './mounted-volume.ts'
import { readLabel, readVolumeId } from './volume-label.ts'

/** A file or directory in an image. */
export interface FatEntry {
  /** From the root, with forward slashes: `'EFI/BOOT/BOOTX64.EFI'`. */
  readonly path: string
  readonly kind: 'file' | 'directory'
  /** Bytes; 0 for a directory. */
  readonly size: number
  /** FAT has no time zone: taken as UTC. Undefined when the entry has no valid time. */
  readonly modified: Date | undefined
  readonly isReadOnly: boolean
  readonly isHidden: boolean
  readonly isSystem: boolean
}

/** An image that is open for reading. */
export interface FatImage extends AsyncDisposable {
  readonly type: FatType
  readonly label: string | undefined
  /** The serial number: `'1A2B-3C4D'`. */
  readonly volumeId: string
  readonly partition: Partitioning
  /** Where the volume begins in the image, and its size, in bytes. */
  readonly volumeOffset: number
  readonly volumeSize: number
  /** Bytes of a cluster. */
  readonly clusterSize: number
  /**
   * Everything in it: parents before children, sorted by name within a directory.
   * @throws MkfatfsError `IMAGE_DAMAGED`
   */
  list(): Promise<FatEntry[]>
  /**
   * The contents of a file, which may not be larger than a Buffer. Upper and lower case are the same.
   * @throws MkfatfsError `NOT_IN_IMAGE`, `IMAGE_DAMAGED`
   */
  readFile(path: string): Promise<Buffer>
  /**
   * Writes everything into `directory`, which is new or empty, with the modification times.
   * @throws MkfatfsError `TARGET_NOT_EMPTY`, `WRITE_FAILED`, `IMAGE_DAMAGED`
   */
  extract(directory: string, options?: ExtractOptions): Promise<void>
  /** Closes the file; again does nothing. */
  close(): Promise<void>
}

/** Options of {@link readFatImage}. */
export interface ReadFatImageOptions {
  /**
   * Number of the partition, from 1.
   * @default the first with a FAT volume
   */
  readonly partition?: number
  /**
   * Code page of names that have no long form: 437, 720, 737, 771, 775, 850, 852, 855, 857, 860 to 866, 869, 932, 936,
   * 949, 950.
   * @default 850, as in mtools and dosfstools
   */
  readonly codePage?: number
}

const READ_ONLY = 0x01
const HIDDEN = 0x02
const SYSTEM = 0x04
const CODE_PAGES = [
  437, 720, 737, 771, 775, 850, 852, 855, 857, 860, 861, 862, 863, 864, 865, 866, 869, 932, 936, 949, 950,
]

/**
 * Opens a FAT image to list and extract what is in it. The image is never written to.
 *
 * FatFs reads it, not the code that wrote it: a test that compares both has two opinions.
 *
 * @throws MkfatfsError `READ_FAILED`, `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED`, `INVALID_OPTION`
 */
export async function readFatImage(image: string, options: ReadFatImageOptions = {}): Promise<FatImage> {
  const { partition, codePage = 850 } = options
  if (partition !== undefined && !(Number.isInteger(partition) && partition > 0)) {
    throw new MkfatfsError('INVALID_OPTION', `\`partition\` is ${partition}, not a number from 1.`)
  }
  if (!CODE_PAGES.includes(codePage)) {
    throw new MkfatfsError('INVALID_OPTION', `\`codePage\` is ${codePage}, not one of ${CODE_PAGES.join(', ')}.`)
  }
  const reader = new ImageReader(image)
  try {
    const volume = locateVolume(reader, partition)
    return new OpenFatImage(reader, volume, await MountedVolume.mount(reader, volume, codePage))
  } catch (error) {
    reader.close()
    throw error
  }
}

class OpenFatImage implements FatImage {
  readonly type: FatType
  readonly label: string | undefined
  readonly volumeId: string
  readonly partition: Partitioning
  readonly volumeOffset: number
  readonly volumeSize: number
  readonly clusterSize: number
  readonly #reader: ImageReader
  readonly #volume: MountedVolume
  /** No volume has more entries than slots. */
  readonly #mostEntries: number

  constructor(reader: ImageReader, located: LocatedVolume, volume: MountedVolume) {
    const { geometry } = located
    this.type = geometry.type
    this.label = readLabel(reader, located)
    this.volumeId = readVolumeId(reader, located)
    this.partition = located.partition
    this.volumeOffset = located.offset
    this.volumeSize = geometry.sectors * geometry.sectorBytes
    this.clusterSize = clusterBytes(geometry)
    this.#reader = reader
    this.#volume = volume
    this.#mostEntries = this.volumeSize / SLOT_BYTES
  }

  async list(): Promise<FatEntry[]> {
    return this.#list().map(({ path, isDirectory, size, modified, attributes }) => ({
      path,
      kind: isDirectory ? 'directory' : 'file',
      size: isDirectory ? 0 : size,
      modified: modified === undefined ? undefined : new Date(modified),
      isReadOnly: (attributes & READ_ONLY) !== 0,
      isHidden: (attributes & HIDDEN) !== 0,
      isSystem: (attributes & SYSTEM) !== 0,
    }))
  }

  async readFile(path: string): Promise<Buffer> {
    const chunks: Buffer[] = []
    for (const chunk of this.#volume.contents(resolvePath(this.#volume, path))) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  }

  async extract(directory: string, options: ExtractOptions = {}): Promise<void> {
    await extractTree(this.#volume, this.#list(), directory, options)
  }

  async close(): Promise<void> {
    this.#reader.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #list(): ListedEntry[] {
    return listTree(this.#volume, this.#mostEntries)
  }
}
