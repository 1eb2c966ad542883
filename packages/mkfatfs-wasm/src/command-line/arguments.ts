/** Parses and checks the arguments of the command. The parser citty accepts misspelt options and missing values. */
import { stripVTControlCharacters } from 'node:util'
import { parseArgs, renderUsage } from 'citty'
import { MkfatfsError } from '../errors.ts'
import type { HostMkfatfsOptions } from '../host/mkfatfs.ts'
import { MAKING_OPTIONS, makingOptions } from './making-options.ts'

/** A parsed command. */
export type Command = { readonly isJson: boolean } & (
  | { readonly kind: 'help' | 'version' }
  | {
      readonly kind: 'make'
      readonly directory: string
      readonly image: string
      readonly options: Omit<HostMkfatfsOptions, 'files' | 'partitions'>
    }
  | { readonly kind: 'layout'; readonly layout: string; readonly image: string }
  | { readonly kind: 'list'; readonly image: string }
  | { readonly kind: 'extract'; readonly image: string; readonly directory: string }
  | { readonly kind: 'add'; readonly image: string; readonly file: string; readonly path: string | undefined }
  | { readonly kind: 'remove'; readonly image: string; readonly paths: readonly string[] }
  | { readonly kind: 'rename'; readonly image: string; readonly from: string; readonly to: string }
)

/** Options that select another command than making an image. */
const MODES = {
  layout: {
    type: 'string',
    valueHint: 'FILE',
    description: 'Make IMAGE from a JSON file with the options of mkfatfs(), such as several partitions',
  },
  list: { type: 'string', valueHint: 'IMAGE', description: 'List the contents of an image' },
  extract: { type: 'string', valueHint: 'IMAGE', description: 'Extract an image into DIR, which is new or empty' },
  add: { type: 'string', valueHint: 'IMAGE', description: 'Add FILE as PATH (default: its name), or replace it' },
  remove: { type: 'string', valueHint: 'IMAGE', description: 'Remove each PATH, directories with their contents' },
  rename: { type: 'string', valueHint: 'IMAGE', description: 'Rename or move FROM to TO' },
} as const

const OPTIONS = {
  ...MAKING_OPTIONS,
  ...MODES,
  json: { type: 'boolean', description: 'Report as JSON' },
  help: { type: 'boolean', alias: 'h', description: 'Show this text' },
  version: { type: 'boolean', description: 'Show the version' },
} as const

type Values = Readonly<Record<string, unknown>>

/** @throws MkfatfsError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function parseCommand(args: readonly string[]): Command {
  const { _: positionals, ...values } = parseArgs([...args], OPTIONS)
  for (const [key, value] of Object.entries(values)) checkOption(key, value)
  const isJson = values.json === true
  if (values.help) return { kind: 'help', isJson }
  if (values.version) return { kind: 'version', isJson }
  const modes = Object.keys(MODES).filter((mode) => Object.hasOwn(values, mode))
  const [mode, other] = modes
  if (other !== undefined) throw usage(`--${mode} and --${other} exclude each other`)
  const [first, second] = positionals
  if (mode === undefined) {
    if (first === undefined || second === undefined || positionals.length > 2) throw usage('DIR and IMAGE are needed')
    return { kind: 'make', directory: first, image: second, options: makingOptions(values), isJson }
  }
  const stray = Object.keys(MAKING_OPTIONS).find((key) => Object.hasOwn(values, key))
  if (stray !== undefined) throw usage(`--${stray} is for making an image from DIR`)
  return { ...parseMode(mode, values, positionals), isJson }
}

function parseMode(mode: string, values: Values, positionals: readonly string[]) {
  const image = String(values[mode])
  const [first, second] = positionals
  const count = positionals.length
  switch (mode) {
    case 'list':
      if (count > 0) throw usage('--list takes an image and nothing else')
      return { kind: 'list', image } as const
    case 'layout':
      if (first === undefined || count > 1) throw usage('--layout takes a file and IMAGE')
      return { kind: 'layout', layout: image, image: first } as const
    case 'extract':
      if (first === undefined || count > 1) throw usage('--extract takes an image and DIR')
      return { kind: 'extract', image, directory: first } as const
    case 'add':
      if (first === undefined || count > 2) throw usage('--add takes an image, FILE and PATH')
      return { kind: 'add', image, file: first, path: second } as const
    case 'remove':
      if (count === 0) throw usage('--remove takes an image and each PATH')
      return { kind: 'remove', image, paths: positionals } as const
    default:
      if (first === undefined || second === undefined || count > 2) throw usage('--rename takes an image, FROM and TO')
      return { kind: 'rename', image, from: first, to: second } as const
  }
}

/** The text of `--help`. */
export async function helpText(): Promise<string> {
  const positional = { type: 'positional', required: false } as const
  const usage = await renderUsage({
    meta: {
      name: 'mkfatfs-wasm',
      description: 'Makes a FAT image from a directory; lists, extracts and changes images',
    },
    args: {
      dir: { ...positional, description: 'Directory: its contents become the root of the volume' },
      image: { ...positional, description: 'File to write' },
      ...OPTIONS,
    },
  })
  // citty adds colours even if the output is not a terminal.
  const text = stripVTControlCharacters(usage)
  return `${text}\nexFAT and LittleFS are not supported. SOURCE_DATE_EPOCH limits the times in the image.\n`
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

function toCamelCase(key: string): string {
  return key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function usage(why: string): MkfatfsError {
  return new MkfatfsError('INVALID_OPTION', `${why}.`, { hint: 'See `mkfatfs-wasm --help`.' })
}
