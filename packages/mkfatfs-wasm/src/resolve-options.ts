/** Checks the options of `mkfatfs()`, and adds their defaults. */
import { parseByteSize } from './byte-size.ts'
import { MkfatfsError } from './errors.ts'
import { FLASH_SECTOR_BYTES } from './flash/wear-levelling.ts'
import { checkLabel } from './names/label.ts'
import type { MkfatfsOptions, MkfatfsProgress, PartitionTable, VolumeOptions } from './options.ts'
import { GPT_NAME_UNITS, GUID_TEXT } from './partition/gpt.ts'
import { MBR_CODE_BYTES } from './partition/mbr.ts'
import { BOOT_SECTOR_BYTES, type FatType, SECTOR_SIZES } from './volume/geometry.ts'

/** {@link VolumeOptions}, checked and complete, without the files. */
export interface ResolvedVolume {
  readonly label: string | undefined
  readonly type: FatType | 'auto'
  /** Bytes per cluster; 0 for the choice of FatFs. */
  readonly clusterBytes: number
  readonly fats: 1 | 2
  readonly rootEntries: number
  readonly bootCode: Uint8Array | undefined
  readonly partitionType: string | number
  readonly partitionName: string | undefined
  /** Bytes of the partition. `'rest'`: the rest of the image; as small as possible if the image has no given size. */
  readonly size: number | 'fit' | 'rest'
}

/** {@link MkfatfsOptions}, checked and complete, without the files. */
export interface ResolvedOptions {
  readonly partitionTable: PartitionTable
  readonly volumes: readonly ResolvedVolume[]
  readonly sectorBytes: number
  readonly wearLevelling: boolean | 'safe'
  readonly mbrCode: Uint8Array | undefined
  /** Bytes of the whole image. */
  readonly size: number | 'fit'
  /** Converts a modification time to the stored time, both in milliseconds since 1970. */
  readonly storedTime: (modified: number) => number
  readonly allowDeviceNames: boolean
  readonly onProgress: (progress: MkfatfsProgress) => void
  readonly signal: AbortSignal | undefined
}

const TYPES = ['auto', 'fat12', 'fat16', 'fat32'] as const
const TABLES = ['none', 'mbr', 'gpt', 'hybrid'] as const
const PROFILES = ['esp-idf'] as const
/** First byte of a boot sector: a jump instruction. Readers do not recognize a boot sector without it. */
const JUMPS = [0xeb, 0xe9]
const USUAL_ROOT_ENTRIES = 512
const MOST_ROOT_ENTRIES = 32_768
const MOST_SECTORS_PER_CLUSTER = 128
const MOST_PARTITIONS = { none: 1, mbr: 4, gpt: 128, hybrid: 3 } as const
const VOLUME_KEYS: Readonly<Record<keyof VolumeOptions, true>> = {
  files: true,
  label: true,
  type: true,
  clusterSize: true,
  fats: true,
  rootEntries: true,
  bootCode: true,
  partitionType: true,
  partitionName: true,
  size: true,
}
const IMAGE_KEYS: Readonly<Record<keyof MkfatfsOptions, true>> = {
  ...VOLUME_KEYS,
  partitionTable: true,
  partitions: true,
  sectorSize: true,
  profile: true,
  wearLevelling: true,
  mbrCode: true,
  timestamps: true,
  allowDeviceNames: true,
  onProgress: true,
  signal: true,
}

/**
 * Checks `options` and fills in the defaults.
 * @param epoch the time that `'clamp'` refers to, in milliseconds since 1970
 * @throws MkfatfsError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function resolveOptions(options: MkfatfsOptions, epoch: number | undefined): ResolvedOptions {
  checkKeys(options, IMAGE_KEYS)
  const { partitions, signal } = options
  const profile = options.profile === undefined ? undefined : oneOf('profile', options.profile, PROFILES)
  const sectorBytes = Number(
    oneOf('sectorSize', options.sectorSize ?? (profile === 'esp-idf' ? FLASH_SECTOR_BYTES : 512), SECTOR_SIZES),
  )
  const partitionTable = oneOf('partitionTable', options.partitionTable ?? (partitions ? 'gpt' : 'none'), TABLES)
  const context = { partitionTable, sectorBytes, profile }
  const wearLevelling = resolveWearLevelling(options, context)
  const size =
    options.size === undefined ? 'fit' : resolveSize(options.size, wearLevelling ? FLASH_SECTOR_BYTES : sectorBytes)
  if (options.mbrCode !== undefined) checkCode('mbrCode', options.mbrCode, 1, MBR_CODE_BYTES)
  if (options.mbrCode !== undefined && partitionTable === 'none') {
    throw invalid('`mbrCode` needs a partition table, but `partitionTable` is "none"')
  }
  return {
    partitionTable,
    volumes:
      partitions === undefined
        ? [{ ...resolveVolume(options, context), size: 'rest' }]
        : resolvePartitions(options, partitions, context),
    sectorBytes,
    wearLevelling,
    mbrCode: options.mbrCode,
    size,
    storedTime: resolveTimestamps(options.timestamps ?? 'clamp', epoch),
    allowDeviceNames: options.allowDeviceNames ?? false,
    onProgress: options.onProgress ?? (() => {}),
    signal,
  }
}

interface Context {
  readonly partitionTable: PartitionTable
  readonly sectorBytes: number
  readonly profile: 'esp-idf' | undefined
}

function resolvePartitions(options: MkfatfsOptions, partitions: readonly VolumeOptions[], context: Context) {
  const stray = Object.keys(VOLUME_KEYS).find((key) => key !== 'size' && Object.hasOwn(options, key))
  if (stray !== undefined) throw invalid(`\`${stray}\` and \`partitions\` exclude each other: set it in each partition`)
  const most = MOST_PARTITIONS[context.partitionTable]
  if (!Array.isArray(partitions) || partitions.length === 0 || partitions.length > most) {
    throw invalid(
      `\`partitions\` is not a list of 1 to ${most} partitions, the most of \`partitionTable\` "${context.partitionTable}"`,
    )
  }
  if (context.partitionTable === 'none')
    throw invalid('`partitions` needs a partition table, but `partitionTable` is "none"')
  return partitions.map((partition, index): ResolvedVolume => {
    checkKeys(partition, VOLUME_KEYS)
    const unsized = index === partitions.length - 1 ? 'rest' : 'fit'
    const size = partition.size === undefined ? unsized : resolveSize(partition.size, context.sectorBytes)
    return { ...resolveVolume(partition, context), size }
  })
}

function resolveVolume(options: VolumeOptions, context: Context): Omit<ResolvedVolume, 'size'> {
  const { partitionTable, sectorBytes, profile } = context
  const { fats = 2, rootEntries = USUAL_ROOT_ENTRIES, bootCode, partitionName, partitionType = 'data' } = options
  for (const key of ['partitionType', 'partitionName'] as const) {
    if (partitionTable === 'none' && options[key] !== undefined) {
      throw invalid(`\`${key}\` needs a partition table, but \`partitionTable\` is "none"`)
    }
  }
  if (fats !== 1 && fats !== 2) throw invalid(`\`fats\` is ${JSON.stringify(fats)}, not 1 or 2`)
  if (!Number.isInteger(rootEntries) || rootEntries < 1 || rootEntries > MOST_ROOT_ENTRIES) {
    throw invalid(`\`rootEntries\` is ${JSON.stringify(rootEntries)}, not a number from 1 to ${MOST_ROOT_ENTRIES}`)
  }
  if (bootCode !== undefined) {
    checkCode('bootCode', bootCode, BOOT_SECTOR_BYTES, BOOT_SECTOR_BYTES)
    const [first = 0] = bootCode
    if (!JUMPS.includes(first)) {
      throw invalid(`\`bootCode\` begins with 0x${first.toString(16).padStart(2, '0')}, not with a jump (0xeb or 0xe9)`)
    }
  }
  if (partitionName !== undefined && (typeof partitionName !== 'string' || partitionName.length > GPT_NAME_UNITS)) {
    throw invalid(
      `\`partitionName\` is ${JSON.stringify(partitionName)}, not text of up to ${GPT_NAME_UNITS} characters`,
    )
  }
  return {
    label: options.label === undefined ? undefined : checkLabel(options.label),
    type: oneOf('type', options.type ?? 'auto', TYPES),
    clusterBytes: resolveClusterSize(options.clusterSize ?? (profile === 'esp-idf' ? sectorBytes : 0), sectorBytes),
    fats,
    rootEntries,
    bootCode,
    partitionType: resolvePartitionType(partitionType, partitionTable),
    partitionName,
  }
}

function resolvePartitionType(value: string | number, table: PartitionTable): string | number {
  const isNumber = typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 256
  if (value === 'data' || value === 'efi') return value
  if (isNumber && table === 'mbr') return value
  if (typeof value === 'string' && GUID_TEXT.test(value) && (table === 'gpt' || table === 'hybrid')) return value
  const also = table === 'mbr' ? 'a number from 1 to 255' : 'a GUID'
  throw invalid(`\`partitionType\` is ${JSON.stringify(value)}, not "data", "efi" or ${also}`)
}

function resolveWearLevelling(options: MkfatfsOptions, { partitionTable, sectorBytes }: Context): boolean | 'safe' {
  const { wearLevelling = false } = options
  if (wearLevelling === false) return false
  if (wearLevelling !== true && wearLevelling !== 'safe') {
    throw invalid(`\`wearLevelling\` is ${JSON.stringify(wearLevelling)}, not true, false or "safe"`)
  }
  if (partitionTable !== 'none')
    throw invalid(`\`wearLevelling\` and \`partitionTable\` "${partitionTable}" exclude each other`)
  const sizes = wearLevelling === 'safe' ? [512] : [512, FLASH_SECTOR_BYTES]
  if (!sizes.includes(sectorBytes)) {
    throw invalid(
      `\`wearLevelling\` ${JSON.stringify(wearLevelling)} needs a \`sectorSize\` of ${sizes.join(' or ')}, not ${sectorBytes}`,
    )
  }
  return wearLevelling
}

function resolveClusterSize(value: number | string, sectorBytes: number): number {
  if (value === 0) return 0
  const bytes = typeof value === 'string' ? parseByteSize(value) : value
  const sectors = (bytes ?? 0) / sectorBytes
  if (
    bytes !== undefined &&
    sectors <= MOST_SECTORS_PER_CLUSTER &&
    Number.isInteger(Math.log2(sectors)) &&
    sectors >= 1
  ) {
    return bytes
  }
  throw invalid(
    `\`clusterSize\` is ${JSON.stringify(value)}, not a power of two from ${sectorBytes} to ${sectorBytes * MOST_SECTORS_PER_CLUSTER} bytes`,
  )
}

function resolveSize(size: number | string, unit: number): number | 'fit' {
  if (size === 'fit') return size
  const bytes = typeof size === 'string' ? parseByteSize(size) : size
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0 && bytes % unit === 0) return bytes
  throw invalid(`\`size\` is ${JSON.stringify(size)}, not "fit", a multiple of ${unit} bytes, or text like "64M"`)
}

function resolveTimestamps(
  timestamps: 'clamp' | 'keep' | Date | number,
  epoch: number | undefined,
): (modified: number) => number {
  if (timestamps === 'keep' || (timestamps === 'clamp' && epoch === undefined)) return (modified) => modified
  if (timestamps === 'clamp') return (modified) => Math.min(modified, epoch ?? modified)
  const time = Number(timestamps)
  if (!Number.isFinite(time)) {
    throw invalid(`\`timestamps\` is ${String(timestamps)}, not "clamp", "keep", a Date or milliseconds since 1970`)
  }
  return () => time
}

function checkCode(key: string, code: unknown, least: number, most: number): void {
  if (code instanceof Uint8Array && code.length >= least && code.length <= most) return
  const wanted = least === most ? `${most} bytes` : `${least} to ${most} bytes`
  if (!(code instanceof Uint8Array)) throw invalid(`\`${key}\` is not a Uint8Array of ${wanted}`)
  throw invalid(`\`${key}\` has ${code.length} bytes, not ${wanted}`)
}

function checkKeys(options: object, keys: Readonly<Record<string, true>>): void {
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(keys, key)) continue
    throw new MkfatfsError('UNKNOWN_OPTION', `Unknown option "${key}". Known are ${Object.keys(keys).join(', ')}.`)
  }
}

function oneOf<T extends string | number>(key: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((it) => it === value)
  if (found !== undefined) return found
  throw invalid(`\`${key}\` is ${JSON.stringify(value)}, not one of ${allowed.join(', ')}`)
}

function invalid(why: string): MkfatfsError {
  return new MkfatfsError('INVALID_OPTION', `${why}.`)
}
