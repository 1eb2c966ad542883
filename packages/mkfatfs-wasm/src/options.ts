/** What a user may ask of {@link mkfatfs}, its defaults, and the checks that need no disk. */
import { parseByteSize } from './byte-size.ts'
import { MkfatfsError } from './errors.ts'
import { checkLabel } from './names/label.ts'
import type { FatType } from './volume/geometry.ts'
import { SECTOR_BYTES } from './volume/geometry.ts'

/** What surrounds the volume: `'none'` is the bare volume, as `mkfs.fat` makes it. */
export type Partitioning = 'mbr' | 'gpt' | 'none'

/** How far a run has come. */
export interface MkfatfsProgress {
  /** Bytes of file contents that are in the image. */
  readonly bytes: number
  /** Bytes of file contents in all. */
  readonly totalBytes: number
}

/** Options of {@link mkfatfs}. */
export interface MkfatfsOptions {
  /**
   * Volume label: up to 11 characters of ASCII, stored in upper case.
   * @default none
   */
  readonly label?: string
  /**
   * FAT12, FAT16 or FAT32; `'auto'` leaves the choice to FatFs, by the size of the volume.
   * @default 'auto'
   */
  readonly type?: FatType | 'auto'
  /**
   * The partition table around the volume. With `'mbr'` and `'gpt'` the volume is the first partition, at 1 MiB.
   * @default 'none'
   */
  readonly partition?: Partitioning
  /**
   * What the partition table calls the partition: plain data, or an EFI system partition.
   * @default 'data'
   */
  readonly partitionType?: 'data' | 'efi'
  /**
   * Size of the whole image: bytes, a multiple of 512; or text like `'64M'`; or `'fit'`, as small as the tree allows.
   * @default 'fit'
   */
  readonly size?: number | string
  /**
   * One time for everything in the image (a `Date` or milliseconds since 1970), instead of the modification times of the
   * files. FAT knows 1980 to 2107 in steps of two seconds; other times become the nearest it knows.
   * @default the modification times
   */
  readonly timestamp?: Date | number
  /**
   * Accept names like `aux.c` or `con`, which Windows takes for devices and cannot open. Linux can.
   * @default false
   */
  readonly allowDeviceNames?: boolean
  /** Called now and then while files are written, and at the end. */
  readonly onProgress?: (progress: MkfatfsProgress) => void
  /** Ends the run early: it rejects with the signal’s reason and leaves no image. */
  readonly signal?: AbortSignal
}

/** {@link MkfatfsOptions}, checked and complete. */
export interface ResolvedOptions {
  readonly label: string | undefined
  readonly type: FatType | 'auto'
  readonly partition: Partitioning
  readonly partitionType: 'data' | 'efi'
  /** Bytes of the whole image. */
  readonly size: number | 'fit'
  /** Milliseconds since 1970. */
  readonly timestamp: number | undefined
  readonly allowDeviceNames: boolean
  readonly onProgress: (progress: MkfatfsProgress) => void
  readonly signal: AbortSignal | undefined
}

const TYPES = ['auto', 'fat12', 'fat16', 'fat32'] as const
const PARTITIONS = ['mbr', 'gpt', 'none'] as const
const PARTITION_TYPES = ['data', 'efi'] as const
const KEYS: Readonly<Record<keyof MkfatfsOptions, true>> = {
  label: true,
  type: true,
  partition: true,
  partitionType: true,
  size: true,
  timestamp: true,
  allowDeviceNames: true,
  onProgress: true,
  signal: true,
}

/** Checks `options` and fills in the defaults. @throws MkfatfsError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function resolveOptions(options: MkfatfsOptions): ResolvedOptions {
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(KEYS, key)) {
      throw new MkfatfsError('UNKNOWN_OPTION', `Unknown option "${key}". Known are ${Object.keys(KEYS).join(', ')}.`)
    }
  }
  const partition = oneOf('partition', options.partition ?? 'none', PARTITIONS)
  const partitionType = oneOf('partitionType', options.partitionType ?? 'data', PARTITION_TYPES)
  if (partition === 'none' && options.partitionType !== undefined) {
    throw new MkfatfsError('INVALID_OPTION', '`partitionType` needs a partition table, but `partition` is "none".')
  }
  return {
    label: options.label === undefined ? undefined : checkLabel(options.label),
    type: oneOf('type', options.type ?? 'auto', TYPES),
    partition,
    partitionType,
    size: resolveSize(options.size ?? 'fit'),
    timestamp: options.timestamp === undefined ? undefined : resolveTimestamp(options.timestamp),
    allowDeviceNames: options.allowDeviceNames ?? false,
    onProgress: options.onProgress ?? (() => {}),
    signal: options.signal,
  }
}

function oneOf<T extends string>(key: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((it) => it === value)
  if (found !== undefined) return found
  throw new MkfatfsError('INVALID_OPTION', `\`${key}\` is ${JSON.stringify(value)}, not one of ${allowed.join(', ')}.`)
}

function resolveSize(size: number | string): number | 'fit' {
  if (size === 'fit') return size
  const bytes = typeof size === 'string' ? parseByteSize(size) : size
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0 && bytes % SECTOR_BYTES === 0) return bytes
  throw new MkfatfsError(
    'INVALID_OPTION',
    `\`size\` is ${JSON.stringify(size)}, not "fit", a multiple of ${SECTOR_BYTES} bytes, or text like "64M".`,
  )
}

function resolveTimestamp(timestamp: Date | number): number {
  const time = Number(timestamp)
  if (Number.isFinite(time)) return time
  throw new MkfatfsError(
    'INVALID_OPTION',
    `\`timestamp\` is ${String(timestamp)}, not a Date or milliseconds since 1970.`,
  )
}
