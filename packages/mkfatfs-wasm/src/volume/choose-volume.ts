/**
 * Selects the geometry of a volume. FatFs formats volumes of several sizes until one is as small as the tree allows. With a given
 * size, it formats with several cluster sizes until the tree fits.
 */
import { formatByteSize } from '../byte-size.ts'
import { MkfatfsError } from '../errors.ts'
import { SLOT_BYTES } from '../tree/slots.ts'
import type { FormatRequest, FormattedVolume, Formatter, VolumeFormat } from './formatter.ts'
import { type FatType, type Geometry, MOST_CLUSTERS } from './geometry.ts'
import type { Measure } from './measure.ts'

/** Sectors of the smallest and the largest volume that FatFs makes. */
const MIN_SECTORS = 128
const MAX_SECTORS = 2 ** 32 - 1
/** Largest root directory of FAT12 and FAT16 that FatFs creates, in slots. */
const MAX_ROOT_SLOTS = 32_768
/** Least distance from the largest number of clusters of a type, as advised by Microsoft, because readers disagree about the limit. */
const MARGIN = 16
/** Limit of the steps of a search. No search has needed as many. */
const MAX_STEPS = 1000
const TIGHTENING_STEPS = 32

const LEAST_CLUSTERS: Readonly<Record<FatType, number>> = {
  fat12: 0,
  fat16: MOST_CLUSTERS.fat12 + MARGIN + 1,
  fat32: MOST_CLUSTERS.fat16 + MARGIN + 1,
}

/** Sectors per cluster to try. The first, 0, stands for the choice of FatFs. */
const OWN_CHOICE = 0
const UPWARDS = [1, 2, 4, 8, 16, 32, 64, 128]

type Wanted = FatType | 'auto'
type Ask = (sectors: number) => FormattedVolume | undefined

/** The requested volume. */
export interface VolumeWish {
  readonly type: Wanted
  readonly format: VolumeFormat
  /** Bytes per cluster; 0 for the choice of FatFs. */
  readonly clusterBytes: number
  /** Slots of the root directory of FAT12 and FAT16. Raised if the tree needs more. */
  readonly rootSlots: number
  /** Bytes of the volume plus `overhead`. */
  readonly size: number | 'fit'
  /** Bytes of `size` that are not available to the volume. */
  readonly overhead: number
  /** Word for messages: `'image'` or `'partition'`. */
  readonly container: string
}

/** @throws MkfatfsError `IMAGE_TOO_SMALL` with both sizes, `TYPE_IMPOSSIBLE` */
export function chooseVolume(format: Formatter, measure: Measure, wish: VolumeWish): FormattedVolume {
  const { type, size, overhead, container } = wish
  const { sectorBytes } = wish.format
  const search = new Search(format, measure, wish)
  const given = size === 'fit' ? undefined : Math.floor((size - overhead) / sectorBytes)
  const filled = given !== undefined && given <= MAX_SECTORS ? search.fill(given) : undefined
  if (filled !== undefined) return filled
  const fitting = search.fit()
  const name = type === 'auto' ? 'FAT' : type.toUpperCase()
  if (fitting === undefined) throw new MkfatfsError('TYPE_IMPOSSIBLE', `${name} cannot hold the directory.`)
  if (given === undefined || size === 'fit') return fitting
  const needed = fitting.geometry.sectors * sectorBytes + overhead
  const sizes = `${formatByteSize(needed)}, \`size\` is ${formatByteSize(size)}`
  if (fitting.geometry.sectors > given) {
    throw new MkfatfsError('IMAGE_TOO_SMALL', `The directory needs an ${container} of ${sizes}.`.replace('an p', 'a p'))
  }
  throw new MkfatfsError('TYPE_IMPOSSIBLE', `${name} cannot be that large: the directory needs ${sizes}.`)
}

class Search {
  readonly #format: Formatter
  readonly #measure: Measure
  readonly #wish: VolumeWish

  constructor(format: Formatter, measure: Measure, wish: VolumeWish) {
    this.#format = format
    this.#measure = measure
    this.#wish = wish
  }

  /** Returns the smallest volume of the type for the tree; undefined if the type cannot store the tree. */
  fit(): FormattedVolume | undefined {
    const { type, format } = this.#wish
    for (const { request, ask } of this.#candidates(UPWARDS)) {
      const least = Math.ceil(this.#measure.leastBytes / format.sectorBytes)
      const found = this.#grow(ask, Math.max(MIN_SECTORS, least, leastSectors(request, type)))
      if (found) return this.#tighten(ask, found)
    }
    return undefined
  }

  /** Returns a volume of `sectors` sectors, or slightly fewer to avoid the limit of a type; undefined if the tree does not fit. */
  fill(sectors: number): FormattedVolume | undefined {
    // Smaller clusters waste less space if the clusters of FatFs' choice are too large for many small files.
    for (const { ask } of this.#candidates(UPWARDS.toReversed())) {
      const found = shrink(ask, sectors)
      if (found && this.#holds(found)) return found
    }
    return undefined
  }

  /** Requests to FatFs for this tree in this type. */
  #candidates(
    clusterSizes: readonly number[],
  ): { readonly request: Omit<FormatRequest, 'sectors'>; readonly ask: Ask }[] {
    const { type, format, clusterBytes } = this.#wish
    const slotsPerSector = format.sectorBytes / SLOT_BYTES
    const wanted = Math.max(this.#wish.rootSlots, this.#measure.rootSlots)
    const rootSlots = Math.ceil(wanted / slotsPerSector) * slotsPerSector
    const isRootTooLarge = rootSlots > MAX_ROOT_SLOTS
    if (isRootTooLarge && (type === 'fat12' || type === 'fat16')) return []
    const family = isRootTooLarge || type === 'fat32' ? 'fat32' : type === 'auto' ? 'any' : 'small'
    const choices = clusterBytes > 0 ? [clusterBytes / format.sectorBytes] : [OWN_CHOICE, ...clusterSizes]
    return choices.map((sectorsPerCluster) => {
      const request = {
        ...format,
        family,
        sectorsPerCluster,
        rootSlots: isRootTooLarge ? slotsPerSector : rootSlots,
      } as const
      return { request, ask: (sectors) => this.#format({ ...request, sectors }) }
    })
  }

  /** Grows a volume that is too small by the missing sectors, until the tree fits. */
  #grow(ask: Ask, start: number): FormattedVolume | undefined {
    const { type } = this.#wish
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
      const missing = Math.max(least, this.#measure.clusters(geometry)) - geometry.clusters
      if (missing <= 0 && !isNearBorder(geometry)) return volume
      sectors += Math.max(1, missing) * geometry.sectorsPerCluster
    }
    return undefined
  }

  /**
   * Tries some sizes between the space that the tree needs and the size that was found. The search can miss a smaller volume,
   * because FatFs selects different cluster sizes at some volume sizes.
   */
  #tighten(ask: Ask, found: FormattedVolume): FormattedVolume {
    const { sectors, dataStart, sectorsPerCluster } = found.geometry
    const exact = Math.max(MIN_SECTORS, dataStart + this.#measure.clusters(found.geometry) * sectorsPerCluster)
    const stride = Math.ceil((sectors - exact) / TIGHTENING_STEPS)
    for (let smaller = exact; smaller < sectors; smaller += stride) {
      const volume = ask(smaller)
      if (volume && this.#holds(volume) && !isNearBorder(volume.geometry)) return volume
    }
    return found
  }

  #holds({ geometry }: FormattedVolume): boolean {
    const { type } = this.#wish
    return (type === 'auto' || geometry.type === type) && this.#measure.clusters(geometry) <= geometry.clusters
  }
}

/** Removes clusters while readers would disagree about the type. */
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

/** Start of the search: a lower bound of the sectors of a volume of this type. */
function leastSectors({ family, sectorsPerCluster }: Omit<FormatRequest, 'sectors'>, type: Wanted): number {
  const least = family === 'fat32' ? 'fat32' : type
  return least === 'auto' ? 0 : LEAST_CLUSTERS[least] * Math.max(1, sectorsPerCluster)
}
