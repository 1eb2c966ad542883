/** Computes the layout of an image from trees and options. */
import { formatByteSize } from './byte-size.ts'
import { MkfatfsError } from './errors.ts'
import { toFatTime } from './fat-time.ts'
import {
  FLASH_SECTOR_BYTES,
  wearLevelledSize,
  wearLevellingBytes,
  wearLevellingChunks,
} from './flash/wear-levelling.ts'
import type { PartitionTable } from './options.ts'
import { bytesAfter, nextPartition, partitionTableChunks } from './partition/disk-layout.ts'
import type { ResolvedOptions, ResolvedVolume } from './resolve-options.ts'
import { checkTree } from './tree/check-tree.ts'
import type { Tree, TreeNode } from './tree/tree.ts'
import { allocate } from './volume/allocate.ts'
import { chooseVolume } from './volume/choose-volume.ts'
import type { Formatter } from './volume/formatter.ts'
import { clusterBytes, type FatType } from './volume/geometry.ts'
import { type Guid, Identity } from './volume/identity.ts'
import { measureTree } from './volume/measure.ts'
import { stampBootSectors } from './volume/stamp-boot-sectors.ts'
import type { ImagePlan, VolumePlan } from './write/write-image.ts'

/** Alignment of the data area: the size of a page, so that holes and writes fit the pages of the host. */
const ALIGNMENT_BYTES = 4096

/** A volume of a new image. */
export interface VolumeFacts {
  readonly type: FatType
  readonly label: string | undefined
  /** Start of the volume in the image, in bytes. */
  readonly offset: number
  /** Bytes of the volume. */
  readonly size: number
  /** Bytes per cluster, the unit in which files take space. */
  readonly clusterSize: number
  /** Number of files. */
  readonly files: number
  /** Number of directories without the root. */
  readonly directories: number
  /** Bytes of all file contents. */
  readonly bytes: number
}

/** Properties of a new image. Properties of a volume refer to the first volume. */
export interface ImageFacts {
  readonly type: FatType
  readonly partitionTable: PartitionTable
  /** Bytes of the image. A sparse file can take less space on the disk. */
  readonly size: number
  /** Start of the volume in the image, in bytes. */
  readonly volumeOffset: number
  /** Bytes per cluster, the unit in which files take space. */
  readonly clusterSize: number
  /** Number of files in all volumes. */
  readonly files: number
  /** Number of directories in all volumes, without the roots. */
  readonly directories: number
  /** Bytes of all file contents. */
  readonly bytes: number
  /** All volumes, in the order of their partitions. */
  readonly volumes: readonly VolumeFacts[]
}

/** The layout of an image, with its properties. */
export interface PlannedImage {
  readonly plan: ImagePlan
  readonly facts: ImageFacts
}

/**
 * Computes the layout.
 * @param trees the contents of each volume, in the order of `options.volumes`
 * @throws MkfatfsError if FAT cannot store a tree, or the image is too small
 */
export function planImage(format: Formatter, trees: readonly Tree[], options: ResolvedOptions): PlannedImage {
  const volumes = options.volumes.map((volume, index) => ({ volume, tree: trees[index] ?? EMPTY }))
  for (const { tree } of volumes) checkTree(tree, options)
  const planned: PlannedVolume[] = []
  let end = 0
  for (const { volume, tree } of volumes) {
    const next = planVolume(format, tree, volume, { options, end, index: planned.length })
    planned.push(next)
    end = next.facts.offset + next.facts.size
  }
  const size = imageSize(options, end)
  const [first] = planned
  if (first === undefined) throw new MkfatfsError('INVALID_OPTION', 'An image needs a volume.')
  const tables = partitionTableChunks({
    table: options.partitionTable,
    size,
    blockBytes: options.sectorBytes,
    partitions: planned.map(({ plan, volume, facts, guid }) => ({
      offset: facts.offset,
      geometry: plan.volume.geometry,
      type: volume.partitionType,
      name: volume.partitionName ?? volume.label ?? '',
      guid,
    })),
    guid: first.identity.guid('disk'),
    signature: first.identity.number('volume'),
    mbrCode: options.mbrCode,
  })
  const flash = options.wearLevelling ? wearLevellingChunks(size, first.identity.number('flash')) : []
  const facts = planned.map(({ facts }) => facts)
  const sum = (key: 'files' | 'directories' | 'bytes') => facts.reduce((total, volume) => total + volume[key], 0)
  return {
    plan: { size, chunks: [...tables, ...flash], volumes: planned.map(({ plan }) => plan) },
    facts: {
      type: first.facts.type,
      partitionTable: options.partitionTable,
      size,
      volumeOffset: first.facts.offset,
      clusterSize: first.facts.clusterSize,
      files: sum('files'),
      directories: sum('directories'),
      bytes: sum('bytes'),
      volumes: facts,
    },
  }
}

const EMPTY: Tree = {
  directories: [{ kind: 'directory', parent: undefined, name: '', path: '', modified: 0, children: [] }],
  files: [],
  bytes: 0,
}

interface PlannedVolume {
  readonly volume: ResolvedVolume
  readonly plan: VolumePlan
  readonly facts: VolumeFacts
  readonly identity: Identity
  readonly guid: Guid
}

interface Place {
  readonly options: ResolvedOptions
  /** End of the previous volume, bytes. */
  readonly end: number
  readonly index: number
}

function planVolume(format: Formatter, tree: Tree, volume: ResolvedVolume, place: Place): PlannedVolume {
  const { options, index } = place
  const { sectorBytes } = options
  const { label } = volume
  const measure = measureTree(tree, label !== undefined)
  const { offset, ...space } = spaceFor(volume, place)
  const formatted = chooseVolume(format, measure, {
    type: volume.type,
    format: { sectorBytes, fats: volume.fats, alignment: Math.max(1, ALIGNMENT_BYTES / sectorBytes) },
    clusterBytes: volume.clusterBytes,
    rootSlots: volume.rootEntries,
    ...space,
  })
  const { geometry } = formatted
  const allocation = allocate(tree, measure, geometry)
  const timeOf = (node: TreeNode) => toFatTime(options.storedTime(node.modified))
  const identity = new Identity(tree, label, timeOf, index)
  stampBootSectors(formatted, {
    volumeId: identity.number('volume'),
    label,
    // With wear levelling, the layer presents the volume as a whole disk.
    hiddenSectors: options.wearLevelling ? 0 : offset / sectorBytes,
    usedClusters: allocation.used,
    bootCode: volume.bootCode,
  })
  return {
    volume,
    plan: {
      tree,
      volume: formatted,
      offset,
      allocation,
      slots: { label, firstCluster: (node) => allocation.firstCluster(node), timeOf },
    },
    facts: {
      type: geometry.type,
      label,
      offset,
      size: geometry.sectors * sectorBytes,
      clusterSize: clusterBytes(geometry),
      files: tree.files.length,
      directories: tree.directories.length - 1,
      bytes: tree.bytes,
    },
    identity,
    guid: identity.guid('partition'),
  }
}

/** Returns the position of a volume, and its available bytes. */
function spaceFor(volume: ResolvedVolume, { options, end }: Place) {
  const { size, sectorBytes, partitionTable, wearLevelling } = options
  if (wearLevelling) {
    const overhead = size === 'fit' ? 0 : wearLevellingBytes(size, wearLevelling)
    // In a new image, the first flash sector is the dummy.
    return { offset: FLASH_SECTOR_BYTES, size, overhead, container: 'image' }
  }
  const offset = nextPartition(partitionTable, end)
  if (typeof volume.size === 'number') return { offset, size: volume.size, overhead: 0, container: 'partition' }
  if (volume.size === 'fit') return { offset, size: 'fit' as const, overhead: 0, container: 'partition' }
  return { offset, size, overhead: offset + bytesAfter(partitionTable, sectorBytes), container: 'image' }
}

function imageSize({ size, sectorBytes, partitionTable, wearLevelling }: ResolvedOptions, end: number): number {
  const least = wearLevelling
    ? wearLevelledSize(end - FLASH_SECTOR_BYTES, wearLevelling)
    : end + bytesAfter(partitionTable, sectorBytes)
  if (size === 'fit') return least
  if (least <= size) return size
  const sizes = `${formatByteSize(least)}, \`size\` is ${formatByteSize(size)}`
  throw new MkfatfsError('IMAGE_TOO_SMALL', `The partitions need an image of ${sizes}.`)
}
