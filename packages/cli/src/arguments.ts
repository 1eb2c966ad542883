/** The arguments of the command, checked: a misspelt option or a missing value is refused. */
import { parseArgs } from 'node:util'
import { type Architecture } from '@coldboot/core'
import { ARCHITECTURES, memoryMibOf, type PruneLimits } from '@coldboot/core/internal'

/** What the command is to do. */
export type Command =
  | { readonly kind: 'help' | 'version' | 'list' }
  | { readonly kind: 'doctor'; readonly arch: Architecture | undefined }
  | { readonly kind: 'prune'; readonly limits: PruneLimits }
  | { readonly kind: 'remove'; readonly keys: readonly string[] }

/** The arguments make no sense; the message says why. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}

/** The text of `--help`. */
export const HELP = `Usage: coldboot <command>

  doctor [--arch ARCH]     what this host has to start machines, and what it lacks
  templates                saved machines: key, last use, size on the disk
  templates prune [--max-age DAYS] [--max-size SIZE]
                           removes those not used for DAYS (14), and the ones used longest
                           ago as long as all together take more than SIZE (8G)
  templates remove KEY…    removes these

  -h, --help               shows this
  --version                shows the version

Templates are pruned by the same limits whenever one is made.`

const DAY_MS = 24 * 60 * 60 * 1000

/** @throws UsageError */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args)
  if (values.help) return { kind: 'help' }
  if (values.version) return { kind: 'version' }
  const [command, action, ...rest] = positionals
  const options = { ...values }
  switch ([command, command === 'templates' ? action : ''].join(' ').trim()) {
    case 'doctor': {
      only(options, 'arch')
      if (action !== undefined) throw new UsageError('`doctor` takes no more than `--arch`')
      return { kind: 'doctor', arch: values.arch === undefined ? undefined : architecture(values.arch) }
    }
    case 'templates':
      only(options)
      return { kind: 'list' }
    case 'templates prune':
      only(options, 'max-age', 'max-size')
      if (rest.length > 0) throw new UsageError('`templates prune` takes options only; `templates remove` takes keys')
      return { kind: 'prune', limits: limits(values['max-age'], values['max-size']) }
    case 'templates remove':
      only(options)
      if (rest.length === 0) throw new UsageError('`templates remove` needs the keys to remove')
      return { kind: 'remove', keys: rest.map(key) }
    case '':
      throw new UsageError('a command is needed')
    default:
      throw new UsageError(`there is no command \`${[command, action].join(' ').trim()}\``)
  }
}

interface Values {
  readonly help?: boolean
  readonly version?: boolean
  readonly arch?: string
  readonly 'max-age'?: string
  readonly 'max-size'?: string
}

function parsed(args: readonly string[]): { readonly values: Values; readonly positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
        arch: { type: 'string' },
        'max-age': { type: 'string' },
        'max-size': { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function only(values: Readonly<Record<string, unknown>>, ...allowed: readonly string[]): void {
  const stray = Object.keys(values).find((name) => !allowed.includes(name))
  if (stray !== undefined) throw new UsageError(`\`--${stray}\` does not belong to this command`)
}

function architecture(text: string): Architecture {
  if (Object.hasOwn(ARCHITECTURES, text)) return text as Architecture
  throw new UsageError(`\`--arch\` is one of ${Object.keys(ARCHITECTURES).join(', ')}, and is \`${text}\``)
}

function limits(age: string | undefined, size: string | undefined): PruneLimits {
  if (age !== undefined && !/^\d+(\.\d+)?$/.test(age)) throw new UsageError('`--max-age` is a number of days')
  if (size !== undefined && !/^\d+[MG]$/.test(size)) throw new UsageError('`--max-size` is a size as 500M or 8G')
  return {
    ...(age === undefined ? {} : { maxAgeMs: Number(age) * DAY_MS }),
    ...(size === undefined ? {} : { maxBytes: memoryMibOf(size) * 2 ** 20 }),
  }
}

// A key is a folder’s name: nothing else gets near a path that is removed.
function key(text: string): string {
  if (/^[0-9a-f]{32}$/.test(text)) return text
  throw new UsageError(`a key has 32 hexadecimal digits, as \`coldboot templates\` lists them, and is not \`${text}\``)
}
