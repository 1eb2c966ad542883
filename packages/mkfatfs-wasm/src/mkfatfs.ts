/** The whole way from a directory to an image, phase by phase. */
import { realpath, stat } from 'node:fs/promises'
import { MkfatfsError, reasonOf } from './errors.ts'
import { toFatTime } from './fat-time.ts'
import { type MkfatfsOptions, type Partitioning, resolveOptions } from './options.ts'
import { DISK_LAYOUTS, partitionTable } from './partition/disk-layout.ts'
import { checkTree } from './scan/check-tree.ts'
import { scanTree } from './scan/scan-tree.ts'
import type { TreeNode } from './scan/tree.ts'
import { allocate } from './volume/allocate.ts'
import { chooseVolume } from './volume/choose-volume.ts'
import { loadFormatter } from './volume/formatter.ts'
import { clusterBytes, type FatType, SECTOR_BYTES } from './volume/geometry.ts'
import { identify } from './volume/identity.ts'
import { measureTree } from './volume/measure.ts'
import { stampBootSectors } from './volume/stamp-boot-sectors.ts'
import { resolveImagePath, writeAtomically } from './write/image-file.ts'
import { writeImage } from './write/write-image.ts'

/** What was made. */
export interface MkfatfsResult {
  /** The image’s absolute path. */
  readonly image: string
  readonly type: FatType
  readonly partition: Partitioning
  /** Bytes of the image; as a sparse file it may take less of the disk. */
  readonly size: number
  /** Where the volume begins in the image, in bytes. */
  readonly volumeOffset: number
  /** Bytes of a cluster: each file takes a multiple of it. */
  readonly clusterSize: number
  /** Number of files, and of directories without the root. */
  readonly files: number
  readonly directories: number
  /** Bytes of the files’ contents. */
  readonly bytes: number
}

/**
 * Makes a FAT image from a directory.
 *
 * Everything that FAT cannot hold is refused before a byte is written. The image takes its place in one step at the
 * end: a run that fails leaves no half image, and an older image as it was.
 *
 * @param directory its contents become the root of the volume
 * @param image file to write, outside of `directory`; one that is there is replaced
 * @throws MkfatfsError with one of {@link MKFATFS_ERROR_CODES}
 */
export async function mkfatfs(directory: string, image: string, options: MkfatfsOptions = {}): Promise<MkfatfsResult> {
  const resolved = resolveOptions(options)
  resolved.signal?.throwIfAborted()
  const source = await resolveSource(directory)
  const path = await resolveImagePath(image, source)
  // FatFs is compiled on other threads while the directory is read.
  const [format, tree] = await Promise.all([loadFormatter(), scanTree(source, resolved.signal)])
  checkTree(tree, resolved)

  const { label, partition, partitionType, timestamp } = resolved
  const layout = DISK_LAYOUTS[partition]
  const measure = measureTree(tree, label !== undefined)
  const volume = chooseVolume(format, measure, { ...resolved, layout })
  const { geometry } = volume
  const allocation = allocate(tree, measure, geometry)
  const diskSectors =
    resolved.size === 'fit' ? layout.before + geometry.sectors + layout.after : resolved.size / SECTOR_BYTES
  const volumeOffset = layout.before * SECTOR_BYTES
  const times = new Map(
    [...tree.directories, ...tree.files].map((node) => [node, toFatTime(timestamp ?? node.modified)]),
  )
  const timeOf = (node: TreeNode) => times.get(node) ?? toFatTime(node.modified)
  const identity = identify(tree, label, timeOf)
  stampBootSectors(volume, { ...identity, label, hiddenSectors: layout.before, usedClusters: allocation.used })

  const size = diskSectors * SECTOR_BYTES
  await writeAtomically(path, size, (file) =>
    writeImage(file, {
      tree,
      volume,
      volumeOffset,
      allocation,
      partitionTable: partitionTable({ partition, partitionType, diskSectors, geometry, identity, label }),
      slots: { label, firstCluster: (node) => allocation.firstCluster(node), timeOf },
      signal: resolved.signal,
      onBytes: (bytes) => resolved.onProgress({ bytes, totalBytes: tree.bytes }),
    }),
  )
  resolved.onProgress({ bytes: tree.bytes, totalBytes: tree.bytes })
  return {
    image: path,
    type: geometry.type,
    partition,
    size,
    volumeOffset,
    clusterSize: clusterBytes(geometry),
    files: tree.files.length,
    directories: tree.directories.length - 1,
    bytes: tree.bytes,
  }
}

async function resolveSource(directory: string): Promise<string> {
  const wrong = (why: string, cause?: unknown) =>
    new MkfatfsError('SOURCE_NOT_A_DIRECTORY', `Cannot pack "${directory}": ${why}.`, { cause })
  try {
    const source = await realpath(directory)
    if ((await stat(source)).isDirectory()) return source
  } catch (error) {
    throw wrong(reasonOf(error), error)
  }
  throw wrong('it is not a directory')
}
