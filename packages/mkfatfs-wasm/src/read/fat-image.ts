/** Reads FAT images of any tool. */
import { MkfatfsError } from '../errors.ts'
import type { PartitionTable } from '../options.ts'
import { SLOT_BYTES } from '../tree/slots.ts'
import { clusterBytes, type FatType } from '../volume/geometry.ts'
import { type ImageBytes, ImageReader, MemoryImage } from './image-reader.ts'
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
  /** Modification time, interpreted as UTC because FAT has no time zone. Undefined if the entry has no valid time. */
  readonly modified: Date | undefined
  readonly isReadOnly: boolean
  readonly isHidden: boolean
  readonly isSystem: boolean
}

/** Options of `readFatImage()`. */
export interface ReadFatImageOptions {
  /**
   * Number of the partition, from 1.
   * @default the first with a FAT volume
   */
  readonly partition?: number
  /**
   * Code page of names without a long form: 437, 720, 737, 771, 775, 850, 852, 855, 857, 860 to 866, 869; in Node
   * also 932, 936, 949, 950.
   * @default 850, as in mtools and dosfstools
   */
  readonly codePage?: number
}

/** {@link ReadFatImageOptions}, with the WebAssembly to use. */
export interface OpenOptions extends ReadFatImageOptions {
  /** Code pages that the module supports. Others are refused. */
  readonly codePages: readonly number[]
  readonly module?: Uint8Array<ArrayBuffer>
}

/** Code pages of the embedded WebAssembly. */
export const CODE_PAGES: readonly number[] = [
  437, 720, 737, 771, 775, 850, 852, 855, 857, 860, 861, 862, 863, 864, 865, 866, 869,
]

/** Attribute of a read-only entry, which FatFs neither replaces nor removes. */
export const READ_ONLY = 0x01
const HIDDEN = 0x02
const SYSTEM = 0x04

/**
 * Opens a FAT image to read its contents. Never writes to the image.
 * @param image the bytes of the image; a Blob is read into memory
 * @throws MkfatfsError `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED`, `INVALID_OPTION`
 */
export async function readFatImage(
  image: Uint8Array | ArrayBuffer | Blob,
  options: ReadFatImageOptions = {},
): Promise<FatImage> {
  const opened = await openVolume(new MemoryImage(await imageBytes(image)), { ...options, codePages: CODE_PAGES })
  return new FatImage(opened)
}

/** @throws MkfatfsError `INVALID_OPTION` */
export async function imageBytes(image: unknown): Promise<Uint8Array> {
  if (image instanceof Uint8Array) return image
  if (image instanceof ArrayBuffer) return new Uint8Array(image)
  if (image instanceof Blob) return new Uint8Array(await image.arrayBuffer())
  throw new MkfatfsError('INVALID_OPTION', 'The image is not a Uint8Array, ArrayBuffer or Blob.')
}

/** A mounted volume with its position. */
export interface OpenedVolume {
  readonly located: LocatedVolume
  readonly volume: MountedVolume
}

/** Opens the volume. Closes `bytes` after a failure. @throws MkfatfsError `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED`, `INVALID_OPTION` */
export async function openVolume(
  bytes: ImageBytes,
  options: OpenOptions & { readonly clock?: () => number },
): Promise<OpenedVolume> {
  try {
    const { partition, codePage = 850, codePages, module, clock } = options
    if (partition !== undefined && !(Number.isInteger(partition) && partition > 0)) {
      throw new MkfatfsError('INVALID_OPTION', `\`partition\` is ${partition}, not a number from 1.`)
    }
    if (!codePages.includes(codePage)) {
      throw new MkfatfsError('INVALID_OPTION', `\`codePage\` is ${codePage}, not one of ${codePages.join(', ')}.`)
    }
    const located = locateVolume(new ImageReader(bytes), partition)
    const settings = { codePage, ...(module && { module }), ...(clock && { clock }) }
    return { located, volume: await MountedVolume.mount(located, settings) }
  } catch (error) {
    bytes.close()
    throw error
  }
}

/** An image that is open for reading. */
export class FatImage implements AsyncDisposable {
  readonly type: FatType
  readonly label: string | undefined
  /** The serial number: `'1A2B-3C4D'`. */
  readonly volumeId: string
  readonly partitionTable: PartitionTable
  /** Whether the image has a wear-levelling layer of ESP-IDF. */
  readonly isWearLevelled: boolean
  /** Start of the volume in the image, in bytes. */
  readonly volumeOffset: number
  /** Bytes of the volume. */
  readonly volumeSize: number
  /** Bytes per cluster. */
  readonly clusterSize: number
  /** Bytes per sector. */
  readonly sectorSize: number
  readonly #located: LocatedVolume
  readonly #volume: MountedVolume

  /** @internal */
  constructor({ located, volume }: OpenedVolume) {
    const { geometry } = located
    this.type = geometry.type
    this.label = readLabel(located)
    this.volumeId = readVolumeId(located)
    this.partitionTable = located.partitionTable
    this.isWearLevelled = located.isWearLevelled
    this.volumeOffset = located.offset
    this.volumeSize = geometry.sectors * geometry.sectorBytes
    this.clusterSize = clusterBytes(geometry)
    this.sectorSize = geometry.sectorBytes
    this.#located = located
    this.#volume = volume
  }

  /**
   * Lists all entries: parents before children, sorted by name within a directory.
   * @throws MkfatfsError `IMAGE_DAMAGED`
   */
  async list(): Promise<FatEntry[]> {
    return this.listed().map(({ path, isDirectory, size, modified, attributes }) => ({
      path,
      kind: isDirectory ? 'directory' : 'file',
      size: isDirectory ? 0 : size,
      modified: modified === undefined ? undefined : new Date(modified),
      isReadOnly: (attributes & READ_ONLY) !== 0,
      isHidden: (attributes & HIDDEN) !== 0,
      isSystem: (attributes & SYSTEM) !== 0,
    }))
  }

  /**
   * Reads the contents of a file. `path` is not case-sensitive.
   * @throws MkfatfsError `NOT_IN_IMAGE`, `IMAGE_DAMAGED`
   */
  async readFile(path: string): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    for (const chunk of this.#volume.contents(resolvePath(this.#volume, path))) chunks.push(chunk.slice())
    const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
    let done = 0
    for (const chunk of chunks) {
      all.set(chunk, done)
      done += chunk.length
    }
    return all
  }

  /** Closes the image. A second call does nothing. */
  async close(): Promise<void> {
    this.#located.reader.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal */
  protected listed(): ListedEntry[] {
    // A volume cannot have more entries than slots.
    return listTree(this.#volume, this.volumeSize / SLOT_BYTES)
  }
}
