/** Parses and checks the arguments of the command. */
import { parseArgs } from 'node:util'
import { type Architecture } from '@coldboot/core'
import { didYouMean, isArchitecture, memoryMibOf, messageOf, type PruneLimits } from '@coldboot/core/internal'
import type { InitOptions } from './init/init.ts'
import { RUNNERS, type Runner } from './init/project.ts'

/** A parsed command. */
export type Command =
  | { readonly kind: 'help' | 'version' | 'list' }
  | { readonly kind: 'init'; readonly options: InitOptions }
  | { readonly kind: 'doctor'; readonly arch: Architecture | undefined; readonly json: boolean }
  | { readonly kind: 'prune'; readonly limits: PruneLimits }
  | { readonly kind: 'remove'; readonly keys: readonly string[] }
  /** `keys` undefined: exports all templates. */
  | { readonly kind: 'export'; readonly keys: readonly string[] | undefined }
  | { readonly kind: 'import' }

/** Names of the commands, as users type them. */
const COMMANDS = [
  'init',
  'doctor',
  'resume',
  'templates',
  'templates prune',
  'templates remove',
  'templates export',
  'templates import',
]

/** Invalid arguments. The message states the reason. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}

/** The text of `--help`. */
export const HELP = `Usage: coldboot <command>

  init [--runner vitest|jest] [--ci]
                           adds a configuration, a first test and a line of .gitignore to this
                           project; --ci: also a GitHub workflow. Keeps existing files
  doctor [--arch ARCH] [--json]
                           checks this host's requirements for machines
  templates                lists templates (saved machines): key, last use, size on disk
  templates prune [--max-age DAYS] [--max-size SIZE]
                           removes templates not used for DAYS (14), and the least recently
                           used ones while the total exceeds SIZE (8G)
  templates remove KEY…    removes templates
  templates export KEY… > FILE
                           writes templates to an archive, for the cache of another host;
                           --all: writes all templates
  templates import < FILE  adds the templates of an archive

  -h, --help               shows this
  --version                shows the version

Each new template prunes the others by the default limits.`

const DAY_MS = 24 * 60 * 60 * 1000

/** @throws UsageError */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args)
  if (values.help) return { kind: 'help' }
  if (values.version) return { kind: 'version' }
  const [command, action, ...rest] = positionals
  const options = { ...values }
  switch ([command, command === 'templates' ? action : ''].join(' ').trim()) {
    case 'init':
      only(options, 'runner', 'ci')
      if (action !== undefined) throw new UsageError('`init` takes options only, and works in the current folder')
      return { kind: 'init', options: { runner: runner(values.runner), ci: values.ci } }
    case 'doctor': {
      only(options, 'arch', 'json')
      if (action !== undefined) throw new UsageError('`doctor` takes only `--arch` and `--json`')
      const arch = values.arch === undefined ? undefined : architecture(values.arch)
      return { kind: 'doctor', arch, json: values.json === true }
    }
    case 'templates':
      only(options)
      return { kind: 'list' }
    case 'templates prune':
      only(options, 'max-age', 'max-size')
      if (rest.length > 0) throw new UsageError('`templates prune` takes options only; `templates remove` takes keys')
      return { kind: 'prune', limits: limits(values['max-age'], values['max-size']) }
    case 'templates export':
      only(options, 'all')
      if ((rest.length === 0) !== (values.all === true))
        throw new UsageError('`templates export` needs the keys to export, or `--all`')
      return { kind: 'export', keys: values.all ? undefined : rest.map(key) }
    case 'templates import':
      only(options)
      if (rest.length > 0) throw new UsageError('`templates import` reads the standard input, and takes nothing else')
      return { kind: 'import' }
    case 'templates remove':
      only(options)
      if (rest.length === 0) throw new UsageError('`templates remove` needs the keys to remove')
      return { kind: 'remove', keys: rest.map(key) }
    case '':
      throw new UsageError('a command is needed')
    default:
      throw unknownCommand(command ?? '', action)
  }
}

interface Values {
  readonly help?: boolean
  readonly version?: boolean
  readonly all?: boolean
  readonly arch?: string
  readonly ci?: boolean
  readonly json?: boolean
  readonly runner?: string
  readonly 'max-age'?: string
  readonly 'max-size'?: string
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  all: { type: 'boolean' },
  arch: { type: 'string' },
  ci: { type: 'boolean' },
  json: { type: 'boolean' },
  runner: { type: 'string' },
  'max-age': { type: 'string' },
  'max-size': { type: 'string' },
} as const

function parsed(args: readonly string[]): { readonly values: Values; readonly positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: OPTIONS,
    })
  } catch (error) {
    throw usageErrorOf(error, Object.keys(OPTIONS))
  }
}

function unknownCommand(command: string, action: string | undefined): UsageError {
  if (command === 'templates') {
    const text = `${command} ${action}`
    return new UsageError(`there is no command \`${text}\`${didYouMean(text, COMMANDS)}`)
  }
  return new UsageError(`there is no command \`${command}\`${didYouMean(command, COMMANDS)}`)
}

/** Converts an error of Node's `parseArgs`. @param options names of the command's options */
export function usageErrorOf(error: unknown, options: readonly string[]): UsageError {
  const [, option] = /^Unknown option '(-[^']+)'/.exec(messageOf(error)) ?? []
  if (option === undefined) return new UsageError(messageOf(error))
  const known = options.map((name) => `--${name}`)
  return new UsageError(`there is no option \`${option}\`${option.startsWith('--') ? didYouMean(option, known) : ''}`)
}

function only(values: Readonly<Record<string, unknown>>, ...allowed: readonly string[]): void {
  const stray = Object.keys(values).find((name) => !allowed.includes(name))
  if (stray !== undefined) throw new UsageError(`\`--${stray}\` does not belong to this command`)
}

function architecture(text: string): Architecture {
  const [expected, accepts, suggest] = isArchitecture
  if (accepts(text)) return text as Architecture
  throw new UsageError(`\`--arch\` must be ${expected}, but is \`${text}\`${suggest?.(text) ?? ''}`)
}

function runner(text: string | undefined): Runner | undefined {
  const known = RUNNERS.find((name) => name === text)
  if (text === undefined || known !== undefined) return known
  throw new UsageError(`\`--runner\` must be one of ${RUNNERS.join(', ')}, but is \`${text}\``)
}

function limits(age: string | undefined, size: string | undefined): PruneLimits {
  if (age !== undefined && !/^\d+(\.\d+)?$/.test(age)) throw new UsageError('`--max-age` must be a number of days')
  if (size !== undefined && !/^\d+[MG]$/.test(size))
    throw new UsageError('`--max-size` must be a size such as 500M or 8G')
  return {
    ...(age === undefined ? {} : { maxAgeMs: Number(age) * DAY_MS }),
    ...(size === undefined ? {} : { maxBytes: memoryMibOf(size) * 2 ** 20 }),
  }
}

// A key becomes part of a path that is removed, so nothing else is accepted.
function key(text: string): string {
  if (/^[0-9a-f]{32}$/.test(text)) return text
  throw new UsageError(`a key has 32 hexadecimal digits, as \`coldboot templates\` lists them, and is not \`${text}\``)
}
