/**
 * Third phase: finds the volume. FatFs is asked what it makes of a size, until it is as small as the tree allows; or,
 * with a given size, whether the tree fits.
 */
import { formatByteSize } from '../byte-size.ts'
import { MkfatfsError } from '../errors.ts'
import type { DiskLayout } from '../partition/disk-layout.ts'
import type { FormatRequest, FormattedVolume, Formatter } from './formatter.ts'
import { type FatType, type Geometry, MOST_CLUSTERS, SECTOR_BYTES } from './geometry.ts'
import type { Measure } from './measure.ts'

/** Sectors of the smallest and the largest volume that FatFs makes. */
const MIN_SECTORS = 128
const MAX_SECTORS = 2 ** 32 - 1
/** Slots of the root directory of FAT12 and FAT16: what everyone expects, and the most that FatFs makes. */
const USUAL_ROOT_SLOTS = 512
const MAX_ROOT_SLOTS = 32_768
/** Readers disagree by a few clusters on where a type ends: Microsoft advises to stay clear by sixteen. */
const MARGIN = 16
/** More than any search took; it ends one that goes in circles. */
const MAX_STEPS = 1000
const TIGHTENING_STEPS = 32

const LEAST_CLUSTERS: Readonly<Record<FatType, number>> = {
  fat12: 0,
  fat16: MOST_CLUSTERS.fat12 + MARGIN + 1,
  fat32: MOST_CLUSTERS.fat16 + MARGIN + 1,
}

/** Cluster sizes to try, in sectors: first what FatFs chooses by itself. */
const OWN_CHOICE = 0
const UPWARDS = [1, 2, 4, 8, 16, 32, 64, 128]

type Wanted = FatType | 'auto'
type Ask = (sectors: number) => FormattedVolume | undefined

/** What is asked for. */
export interface VolumeWish {
  readonly type: Wanted
  /** Bytes of the whole image. */
  readonly size: number | 'fit'
  readonly layout: DiskLayout
}

/** @throws MkfatfsError `IMAGE_TOO_SMALL` with both sizes, `TYPE_IMPOSSIBLE` */
export function chooseVolume(format: Formatter, measure: Measure, { type, size, layout }: VolumeWish): FormattedVolume {
  const around = layout.before + layout.after
  const given = size === 'fit' ? undefined : size / SECTOR_BYTES - around
  const filled = given !== undefined && given <= MAX_SECTORS ? fillVolume(format, measure, type, given) : undefined
  if (filled !== undefined) return filled
  const fitting = fitVolume(format, measure, type)
  const name = type === 'auto' ? 'FAT' : type.toUpperCase()
  if (fitting === undefined) throw new MkfatfsError('TYPE_IMPOSSIBLE', `${name} cannot hold the directory.`)
  if (given === undefined) return fitting
  const needed = (fitting.geometry.sectors + around) * SECTOR_BYTES
  const sizes = `${formatByteSize(needed)}, \`size\` is ${formatByteSize((given + around) * SECTOR_BYTES)}`
  if (fitting.geometry.sectors > given) {
    throw new MkfatfsError('IMAGE_TOO_SMALL', `The directory needs an image of ${sizes}.`)
  }
  throw new MkfatfsError('TYPE_IMPOSSIBLE', `${name} cannot be that large: the directory needs ${sizes}.`)
}

/** The smallest volume of the type for the tree; undefined when that type cannot hold it. */
function fitVolume(format: Formatter, measure: Measure, type: Wanted): FormattedVolume | undefined {
  for (const { request, ask } of candidates(format, measure, type, UPWARDS)) {
    const start = Math.max(MIN_SECTORS, measure.leastSectors, leastSectors(request, type))
    const found = grow(ask, measure, type, start)
    if (found) return tighten(ask, measure, type, found)
  }
  return undefined
}

/** A volume of at most `sectors` sectors, less only to stay clear of a type’s end; undefined when the tree does not fit. */
function fillVolume(format: Formatter, measure: Measure, type: Wanted, sectors: number): FormattedVolume | undefined {
  // Smaller clusters waste less: try them when what FatFs chooses is too coarse for many small files.
  for (const { ask } of candidates(format, measure, type, UPWARDS.toReversed())) {
    const found = shrink(ask, sectors)
    if (found && isOfType(found, type) && fits(measure, found)) return found
  }
  return undefined
}

/** The ways to ask FatFs for this tree in this type. */
function candidates(format: Formatter, measure: Measure, type: Wanted, clusterSizes: readonly number[]) {
  const rootSlots = Math.max(USUAL_ROOT_SLOTS, Math.ceil(measure.rootSlots / 16) * 16)
  const isRootTooLarge = rootSlots > MAX_ROOT_SLOTS
  if (isRootTooLarge && (type === 'fat12' || type === 'fat16')) return []
  const family = isRootTooLarge || type === 'fat32' ? 'fat32' : type === 'auto' ? 'any' : 'small'
  return [OWN_CHOICE, ...clusterSizes].map((sectorsPerCluster) => {
    const request = { family, sectorsPerCluster, rootSlots: isRootTooLarge ? USUAL_ROOT_SLOTS : rootSlots } as const
    return { request, ask: (sectors: number) => format({ ...request, sectors }) }
  })
}

/** Adds what is missing, from below, until nothing is: each step adds what any larger volume needs too. */
function grow(ask: Ask, measure: Measure, type: Wanted, start: number): FormattedVolume | undefined {
  let sectors = start
  for (let step = 0; step < MAX_STEPS && sectors <= MAX_SECTORS; step++) {
    const volume = ask(sectors)
    if (volume === undefined) {
      sectors += Math.max(8, sectors >>> 10)
      continue
    }
    const { geometry } = volume
    if (type !== 'auto' && MOST[geometry.type] > MOST[type]) return undefined
    const least = type === 'auto' ? 0 : LEAST_CLUSTERS[type]
    const missing = Math.max(least, measure.clusters(geometry)) - geometry.clusters
    if (missing <= 0 && !isNearBorder(geometry)) return volume
    sectors += Math.max(1, missing) * geometry.sectorsPerCluster
  }
  return undefined
}

/**
 * FatFs changes the cluster size at some volume sizes, and there to and fro: the search may have stepped over a volume
 * that would do. Looks at some sizes between what the geometry found needs and what it has.
 */
function tighten(ask: Ask, measure: Measure, type: Wanted, found: FormattedVolume): FormattedVolume {
  const { sectors, dataStart, sectorsPerCluster } = found.geometry
  const exact = Math.max(MIN_SECTORS, dataStart + measure.clusters(found.geometry) * sectorsPerCluster)
  const stride = Math.ceil((sectors - exact) / TIGHTENING_STEPS)
  for (let smaller = exact; smaller < sectors; smaller += stride) {
    const volume = ask(smaller)
    if (volume && isOfType(volume, type) && fits(measure, volume) && !isNearBorder(volume.geometry)) return volume
  }
  return found
}

/** Takes clusters away while readers would disagree on the type. */
function shrink(ask: Ask, most: number): FormattedVolume | undefined {
  let sectors = most
  for (let step = 0; step <= 2 * MARGIN + 1 && sectors >= MIN_SECTORS; step++) {
    const volume = ask(sectors)
    if (volume === undefined || !isNearBorder(volume.geometry)) return volume
    sectors -= volume.geometry.sectorsPerCluster
  }
  return undefined
}

const MOST: Readonly<Record<FatType, number>> = { ...MOST_CLUSTERS, fat32: Number.POSITIVE_INFINITY }

function isNearBorder({ type, clusters }: Geometry): boolean {
  const isNear = (border: number) => Math.abs(clusters - border) <= MARGIN
  return type === 'fat32' ? isNear(MOST_CLUSTERS.fat16) : isNear(MOST_CLUSTERS.fat12) || isNear(MOST_CLUSTERS.fat16)
}

function isOfType({ geometry }: FormattedVolume, type: Wanted): boolean {
  return type === 'auto' || geometry.type === type
}

function fits(measure: Measure, { geometry }: FormattedVolume): boolean {
  return measure.clusters(geometry) <= geometry.clusters
}

/** Fewer sectors than a volume of this type has, so that the search begins close. */
function leastSectors({ family, sectorsPerCluster }: Omit<FormatRequest, 'sectors'>, type: Wanted): number {
  const least = family === 'fat32' ? 'fat32' : type
  return least === 'auto' ? 0 : LEAST_CLUSTERS[least] * Math.max(1, sectorsPerCluster)
}
