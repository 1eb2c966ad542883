/** Opens image files of the host for reading. */
import { readFile } from 'node:fs/promises'
import {
  CODE_PAGES,
  FatImage,
  imageBytes,
  type OpenedVolume,
  type OpenOptions,
  openVolume,
  type ReadFatImageOptions,
} from '../read/fat-image.ts'
import { MemoryImage } from '../read/image-reader.ts'
import type { MountedVolume } from '../read/mounted-volume.ts'
import { type ExtractOptions, extractTree } from './extract-tree.ts'
import { ImageDescriptor } from './image-descriptor.ts'

/** Code pages that need the complete WebAssembly of js-fatfs, which has half a megabyte. */
const LARGE_CODE_PAGES = [932, 936, 949, 950]

/** An image of the host that is open for reading. */
export class HostFatImageReader extends FatImage {
  readonly #volume: MountedVolume

  /** @internal */
  constructor(opened: OpenedVolume) {
    super(opened)
    this.#volume = opened.volume
  }

  /**
   * Reads the contents of a file, which must fit into a Buffer. `path` is not case-sensitive.
   * @throws MkfatfsError `NOT_IN_IMAGE`, `IMAGE_DAMAGED`, `READ_FAILED`
   */
  override async readFile(path: string): Promise<Buffer> {
    const { buffer, byteOffset, byteLength } = await super.readFile(path)
    return Buffer.from(buffer, byteOffset, byteLength)
  }

  /**
   * Extracts all entries with their modification times into `directory`, which must be new or empty.
   * @throws MkfatfsError `TARGET_NOT_EMPTY`, `WRITE_FAILED`, `READ_FAILED`, `IMAGE_DAMAGED`, `EXTRACT_INCOMPLETE`; the signal's
   *   reason
   */
  async extract(directory: string, options: ExtractOptions = {}): Promise<void> {
    await extractTree(this.#volume, this.listed(), directory, options)
  }
}

/** Implements `readFatImage()`. */
export async function openImage(
  image: string | Uint8Array | ArrayBuffer | Blob,
  options: ReadFatImageOptions,
): Promise<HostFatImageReader> {
  const bytes = typeof image === 'string' ? new ImageDescriptor(image) : new MemoryImage(await imageBytes(image))
  return new HostFatImageReader(await openVolume(bytes, { ...options, ...(await codePageSupport(options)) }))
}

/** Returns the code pages that Node supports, and the WebAssembly that a large code page needs. */
export async function codePageSupport({
  codePage,
}: ReadFatImageOptions): Promise<Pick<OpenOptions, 'codePages' | 'module'>> {
  const codePages = [...CODE_PAGES, ...LARGE_CODE_PAGES]
  if (codePage === undefined || !LARGE_CODE_PAGES.includes(codePage)) return { codePages }
  const path = new URL('fatfs.wasm', import.meta.resolve('js-fatfs'))
  return { codePages, module: new Uint8Array(await readFile(path)) }
}
