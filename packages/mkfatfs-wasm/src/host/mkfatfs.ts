/** `mkfatfs()` for Node: makes an image from directories of the host or files in memory, as a file, bytes or a stream. */
import { readFile } from 'node:fs/promises'
import { MkfatfsError, reasonOf } from '../errors.ts'
import { createImage, NewFatImage } from '../new-image.ts'
import type { MkfatfsOptions, VolumeOptions } from '../options.ts'
import type { ImageFacts } from '../plan-image.ts'
import { buildTree } from '../tree/build-tree.ts'
import type { Tree } from '../tree/tree.ts'
import { sourceDateEpoch } from './environment.ts'
import { FileSink, resolveImagePath, writeAtomically } from './image-file.ts'
import { resolveSource, scanDirectory } from './scan-directory.ts'

/** Options of a volume that are only available in Node. */
interface HostSource {
  /** A directory of the host, whose contents become the root of the volume. Alternative to `files`. */
  readonly directory?: string
  /** See {@link VolumeOptions.bootCode}; can also be the path of a file. */
  readonly bootCode?: Uint8Array | string
}

/** Options of one volume, in Node. */
export type HostVolumeOptions = Omit<VolumeOptions, 'bootCode'> & HostSource

/** Options of an image, in Node. */
export type HostMkfatfsOptions = Omit<MkfatfsOptions, 'bootCode' | 'mbrCode' | 'partitions'> &
  HostSource & {
    /** See {@link MkfatfsOptions.partitions}. */
    readonly partitions?: readonly HostVolumeOptions[]
    /** See {@link MkfatfsOptions.mbrCode}; can also be the path of a file. */
    readonly mbrCode?: Uint8Array | string
  }

/** An image that was written to a file. */
export interface MkfatfsResult extends ImageFacts {
  /** The absolute path of the image, with links resolved. */
  readonly image: string
}

/** A new image that can also be written to a file. */
export class HostFatImage extends NewFatImage {
  readonly #sources: readonly string[]

  /** @internal */
  constructor(sources: readonly string[], ...rest: ConstructorParameters<typeof NewFatImage>) {
    super(...rest)
    this.#sources = sources
  }

  /**
   * Writes the image to a sparse file, which is renamed to its path at the end. After a failure, no incomplete image is left, and an
   * older image is unchanged.
   * @param image path outside of the packed directories; an existing file is replaced
   * @throws MkfatfsError `IMAGE_PATH`, `WRITE_FAILED`, `SOURCE_CHANGED`, `READ_FAILED`; the signal's reason
   */
  async toFile(image: string): Promise<MkfatfsResult> {
    const path = await resolveImagePath(image, this.#sources)
    await writeAtomically(path, this.size, (file) => this.writeTo(new FileSink(file)))
    const { type, partitionTable, size, volumeOffset, clusterSize, files, directories, bytes, volumes } = this
    return { image: path, type, partitionTable, size, volumeOffset, clusterSize, files, directories, bytes, volumes }
  }
}

/**
 * Makes a FAT image from `options.directory`, `options.files` or `options.partitions`. Names and sizes that FAT cannot store
 * are refused at once; the contents of files are read when the image is written.
 *
 * @throws MkfatfsError with one of {@link MKFATFS_ERROR_CODES}
 */
export async function mkfatfs(options: HostMkfatfsOptions): Promise<HostFatImage>
/**
 * Makes a FAT image from a directory, and writes it to a file.
 *
 * @param directory directory whose contents become the root of the volume
 * @param image path outside of `directory`; an existing file is replaced
 * @throws MkfatfsError with one of {@link MKFATFS_ERROR_CODES}
 */
export async function mkfatfs(
  directory: string,
  image: string,
  options?: Omit<HostMkfatfsOptions, 'directory' | 'files' | 'partitions'>,
): Promise<MkfatfsResult>
export async function mkfatfs(
  first: string | HostMkfatfsOptions,
  image?: string,
  rest: HostMkfatfsOptions = {},
): Promise<HostFatImage | MkfatfsResult> {
  if (typeof first !== 'string') return plan(first, undefined)
  if (image === undefined) {
    throw new MkfatfsError('INVALID_OPTION', 'mkfatfs(directory) lacks the path of the image.', {
      hint: 'Call mkfatfs(directory, image), or mkfatfs({ directory }) for an image in memory.',
    })
  }
  const made = await plan({ ...rest, directory: first }, image)
  return made.toFile(image)
}

async function plan(options: HostMkfatfsOptions, image: string | undefined): Promise<HostFatImage> {
  const { partitions, ...own } = options
  const volumes = partitions ?? [options]
  const neutral: MkfatfsOptions = {
    ...(await withoutHost(own)),
    ...(partitions === undefined ? {} : { partitions: await Promise.all(partitions.map(withoutHost)) }),
  }
  options.signal?.throwIfAborted()
  const epoch = sourceDateEpoch()
  for (const volume of volumes) checkSource(volume, partitions !== undefined)
  const sources: string[] = []
  const trees = () => volumes.map((volume) => readSource(volume, image, sources, options.signal))
  return createImage(neutral, epoch, trees, (planned, resolved) => new HostFatImage(sources, planned, resolved))
}

/** Removes directories from options, and replaces paths of code files by their contents. */
async function withoutHost<T extends HostSource & { readonly mbrCode?: Uint8Array | string }>(options: T) {
  const { directory: _directory, bootCode, mbrCode, ...rest } = options
  return {
    ...rest,
    ...(bootCode === undefined ? {} : { bootCode: await codeOf('bootCode', bootCode) }),
    ...(mbrCode === undefined ? {} : { mbrCode: await codeOf('mbrCode', mbrCode) }),
  }
}

async function codeOf(key: string, code: Uint8Array | string): Promise<Uint8Array> {
  if (typeof code !== 'string') return code
  return readFile(code).catch((cause: unknown) => {
    throw new MkfatfsError('READ_FAILED', `Could not read \`${key}\` from "${code}": ${reasonOf(cause)}.`, { cause })
  })
}

function checkSource({ directory, files }: HostVolumeOptions, isPartition: boolean): void {
  if (directory === undefined && files === undefined && !isPartition) {
    throw new MkfatfsError(
      'INVALID_OPTION',
      'There is nothing to pack: `directory`, `files` and `partitions` are missing.',
    )
  }
  if (directory !== undefined && files !== undefined) {
    throw new MkfatfsError('INVALID_OPTION', '`directory` and `files` exclude each other.')
  }
}

async function readSource(
  { directory, files }: HostVolumeOptions,
  image: string | undefined,
  sources: string[],
  signal: AbortSignal | undefined,
): Promise<Tree> {
  if (directory === undefined) return buildTree(files ?? [], signal)
  const source = await resolveSource(directory)
  sources.push(source)
  // Reports a wrong path of the image before the source is read.
  if (image !== undefined) await resolveImagePath(image, sources)
  return scanDirectory(source, signal)
}
