/** Command-line options for making an image from a directory. */
import { MkfatfsError } from '../errors.ts'
import type { HostMkfatfsOptions } from '../host/mkfatfs.ts'

/** Definitions for citty. The library checks the values. */
export const MAKING_OPTIONS = {
  label: { type: 'string', valueHint: 'EFI', description: 'Volume label, up to 11 characters' },
  type: {
    type: 'string',
    valueHint: 'auto|fat12|fat16|fat32',
    description: 'Kind of FAT (default: auto, by the size)',
  },
  size: { type: 'string', valueHint: 'fit|64M', description: 'Size of the image (default: fit)' },
  'partition-table': {
    type: 'string',
    valueHint: 'none|mbr|gpt|hybrid',
    description: 'Partition table (default: none)',
  },
  'partition-type': {
    type: 'string',
    valueHint: 'data|efi|GUID|NUMBER',
    description: 'Type of the partition (default: data)',
  },
  'partition-name': {
    type: 'string',
    valueHint: 'NAME',
    description: 'Name of the partition in a GPT (default: the label)',
  },
  'sector-size': { type: 'string', valueHint: '512|...|4096', description: 'Bytes per sector (default: 512)' },
  'cluster-size': { type: 'string', valueHint: '4K', description: 'Bytes per cluster (default: by the size)' },
  fats: { type: 'string', valueHint: '1|2', description: 'Copies of the FAT (default: 2)' },
  'root-entries': { type: 'string', valueHint: '512', description: 'Root entries of FAT12 and FAT16 (default: 512)' },
  profile: { type: 'string', valueHint: 'esp-idf', description: 'Defaults of a platform' },
  'wear-levelling': { type: 'boolean', description: 'Add the wear-levelling layer of ESP-IDF' },
  'wear-levelling-safe': { type: 'boolean', description: 'The same, for its safe mode with sectors of 512 bytes' },
  'boot-code': { type: 'string', valueHint: 'FILE', description: 'Take the code of this boot sector' },
  'mbr-code': { type: 'string', valueHint: 'FILE', description: 'Code of the MBR, up to 440 bytes' },
  timestamps: {
    type: 'string',
    valueHint: 'clamp|keep|TIME',
    description: 'clamp: none after SOURCE_DATE_EPOCH (default); keep; or one time: seconds since 1970, or ISO 8601',
  },
  'allow-device-names': { type: 'boolean', description: 'Accept names like aux.c, which Windows cannot open' },
} as const

type Values = Readonly<Record<string, unknown>>

/** Converts command-line values to options of `mkfatfs()`. @throws MkfatfsError `INVALID_OPTION` */
export function makingOptions(values: Values): Omit<HostMkfatfsOptions, 'files' | 'partitions'> {
  const timestamps = textOf(values, 'timestamps')
  const partitionType = textOf(values, 'partition-type')
  const isSafe = values['wear-levelling-safe'] === true
  const given = {
    label: textOf(values, 'label'),
    type: textOf(values, 'type')?.toLowerCase(),
    size: textOf(values, 'size'),
    partitionTable: textOf(values, 'partition-table'),
    partitionType: partitionType !== undefined && isNumber(partitionType) ? Number(partitionType) : partitionType,
    partitionName: textOf(values, 'partition-name'),
    sectorSize: numberOf(values, 'sector-size'),
    clusterSize: textOf(values, 'cluster-size'),
    fats: numberOf(values, 'fats'),
    rootEntries: numberOf(values, 'root-entries'),
    profile: textOf(values, 'profile'),
    wearLevelling: isSafe ? 'safe' : values['wear-levelling'] === true,
    bootCode: textOf(values, 'boot-code'),
    mbrCode: textOf(values, 'mbr-code'),
    timestamps: timestamps === undefined ? undefined : parseTimestamps(timestamps),
    allowDeviceNames: values['allow-device-names'] === true,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function textOf(values: Values, key: string): string | undefined {
  const value = values[key]
  return typeof value === 'string' ? value : undefined
}

function numberOf(values: Values, key: string): number | string | undefined {
  const text = textOf(values, key)
  return text !== undefined && isNumber(text) ? Number(text) : text
}

/** Whether the text is a decimal or a hexadecimal number. */
function isNumber(text: string): boolean {
  return /^(?:\d+|0x[\da-f]+)$/i.test(text)
}

/** Parses `clamp`, `keep`, seconds since 1970 as in SOURCE_DATE_EPOCH, or ISO 8601. */
function parseTimestamps(text: string): Date | 'clamp' | 'keep' {
  if (text === 'clamp' || text === 'keep') return text
  const time = new Date(/^\d+$/.test(text) ? Number(text) * 1000 : text)
  if (!Number.isNaN(time.getTime())) return time
  throw new MkfatfsError(
    'INVALID_OPTION',
    `--timestamps is "${text}", not clamp, keep, seconds since 1970 or ISO 8601.`,
    { hint: 'See `mkfatfs-wasm --help`.' },
  )
}
