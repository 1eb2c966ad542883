/** The arguments of the command, checked: what citty lets pass, a misspelt option or a missing value, is refused. */

import { stripVTControlCharacters } from 'node:util'
import { type ArgsDef, parseArgs, renderUsage } from 'citty'
import { MkfatfsError } from '../errors.ts'
import type { MkfatfsOptions } from '../options.ts'

/** What the command is to do. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'make'; readonly directory: string; readonly image: string; readonly options: MkfatfsOptions }
  | { readonly kind: 'list'; readonly image: string }
  | { readonly kind: 'extract'; readonly image: string; readonly directory: string }

const MAKING = {
  label: { type: 'string', valueHint: 'EFI', description: 'Volume label, up to 11 characters' },
  type: {
    type: 'string',
    valueHint: 'auto|fat12|fat16|fat32',
    description: 'Kind of FAT; auto: by the size (default)',
  },
  'partition-table': {
    type: 'string',
    valueHint: 'none|mbr|gpt|hybrid',
    description: 'Partition table (default: none)',
  },
  'partition-type': { type: 'string', valueHint: 'data|efi', description: 'What the table calls it (default: data)' },
  size: { type: 'string', valueHint: 'fit|64M', description: 'Size of the image (default: fit)' },
  timestamps: {
    type: 'string',
    valueHint: 'clamp|keep|TIME',
    description: 'clamp: none after SOURCE_DATE_EPOCH (default); keep; or one time: seconds since 1970, or ISO 8601',
  },
  'allow-device-names': { type: 'boolean', description: 'Accept names like aux.c, which Windows cannot open' },
} as const satisfies ArgsDef

const OPTIONS = {
  ...MAKING,
  list: { type: 'string', valueHint: 'IMAGE', description: 'List what is in an image' },
  extract: { type: 'string', valueHint: 'IMAGE', description: 'Extract an image into DIR, which is new or empty' },
  help: { type: 'boolean', alias: 'h', description: 'Show this' },
  version: { type: 'boolean', description: 'Show the version' },
} as const satisfies ArgsDef

type Values = Readonly<Record<string, unknown>>

/** @throws MkfatfsError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function parseCommand(args: readonly string[]): Command {
  const { _: positionals, ...values } = parseArgs([...args], OPTIONS)
  for (const [key, value] of Object.entries(values)) checkOption(key, value)
  if (values.help) return { kind: 'help' }
  if (values.version) return { kind: 'version' }
  const [first, second] = positionals
  const list = textOf(values, 'list')
  const extract = textOf(values, 'extract')
  if (list === undefined && extract === undefined) {
    if (first === undefined || second === undefined || positionals.length > 2) throw usage('DIR and IMAGE are needed')
    return { kind: 'make', directory: first, image: second, options: makingOptions(values) }
  }
  const stray = Object.keys(MAKING).find((key) => Object.hasOwn(values, key))
  if (stray !== undefined) throw usage(`--${stray} is for making an image`)
  if (list !== undefined && extract !== undefined) throw usage('--list and --extract exclude each other')
  if (list !== undefined) {
    if (positionals.length > 0) throw usage('--list takes an image and nothing else')
    return { kind: 'list', image: list }
  }
  if (extract === undefined || first === undefined || positionals.length > 1) {
    throw usage('--extract takes an image and DIR')
  }
  return { kind: 'extract', image: extract, directory: first }
}

/** The text of `--help`. */
export async function helpText(): Promise<string> {
  const positional = { type: 'positional', required: false } as const
  const usage = await renderUsage({
    meta: { name: 'mkfatfs-wasm', description: 'Makes a FAT image from a directory, and reads one back' },
    args: {
      dir: { ...positional, description: 'Directory: its contents become the root of the volume' },
      image: { ...positional, description: 'File to write' },
      ...OPTIONS,
    },
  })
  // It has colours, whoever reads it.
  return `${stripVTControlCharacters(usage)}\n`
}

function checkOption(key: string, value: unknown): void {
  const definition =
    key === 'h' ? OPTIONS.help : Object.entries(OPTIONS).find(([name]) => [name, toCamelCase(name)].includes(key))?.[1]
  if (definition === undefined) {
    const known = Object.keys(OPTIONS).map((name) => `--${name}`)
    throw new MkfatfsError('UNKNOWN_OPTION', `Unknown option --${key}. Known are ${known.join(', ')}.`)
  }
  if (definition.type === 'string' && (typeof value !== 'string' || value === '')) throw usage(`--${key} needs a value`)
}

function makingOptions(values: Values): MkfatfsOptions {
  const timestamps = textOf(values, 'timestamps')
  const given = {
    label: textOf(values, 'label'),
    type: textOf(values, 'type')?.toLowerCase(),
    partitionTable: textOf(values, 'partition-table'),
    partitionType: textOf(values, 'partition-type'),
    size: textOf(values, 'size'),
    timestamps: timestamps === undefined ? undefined : parseTimestamps(timestamps),
    allowDeviceNames: values['allow-device-names'] === true,
  }
  // What these texts may be is checked by the library, with the same message as for a program.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function textOf(values: Values, key: string): string | undefined {
  const value = values[key]
  return typeof value === 'string' ? value : undefined
}

function toCamelCase(key: string): string {
  return key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** Seconds since 1970, as in SOURCE_DATE_EPOCH, or ISO 8601. */
function parseTimestamps(text: string): Date | 'clamp' | 'keep' {
  if (text === 'clamp' || text === 'keep') return text
  const time = new Date(/^\d+$/.test(text) ? Number(text) * 1000 : text)
  if (Number.isNaN(time.getTime()))
    throw usage(`--timestamps is "${text}", not clamp, keep, seconds since 1970 or ISO 8601`)
  return time
}

function usage(why: string): MkfatfsError {
  return new MkfatfsError('INVALID_OPTION', `${why}.`, { hint: 'See `mkfatfs-wasm --help`.' })
}
