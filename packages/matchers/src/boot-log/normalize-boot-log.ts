/** Replaces the parts of a boot log that differ between boots, so that logs can be compared. */
import { types } from 'node:util'
import { OptionError } from '@coldboot/core'

/** Name of a kind of text that is replaced. */
export type BootLogDetail =
  | 'hostSpeed'
  | 'times'
  | 'macs'
  | 'uuids'
  | 'addresses'
  | 'hashes'
  | 'rates'
  | 'sizes'
  | 'pids'
  | 'versions'

/** A pair of pattern and replacement (see `String.replaceAll`), or a function of the whole log. */
export type BootLogNormalizer = readonly [what: string | RegExp, by: string] | ((log: string) => string)

/** Options of {@link normalizeBootLog}. */
export interface NormalizeOptions {
  /** Additional replacements, applied before the built-in ones. @default [] */
  readonly normalizers?: readonly BootLogNormalizer[] | undefined
  /** Details that are not replaced. @default [] */
  readonly keep?: readonly BootLogDetail[] | undefined
}

const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const CLOCK = String.raw`\d\d:\d\d:\d\d(?:\.\d+)?`

/**
 * Detail → replacements, in order: MAC addresses come before times, because part of one looks like a time of day.
 */
const DETAILS: Readonly<Record<BootLogDetail, readonly (readonly [what: RegExp, by: string])[]>> = {
  // The number and position of calibration messages depend on the load of the host.
  hostSpeed: [
    [
      /^(?:\[[^\]\n]*\]|<\d+>| )*(?:tsc: |clocksource: |\.\.MP-BIOS|\.\.\.trying to set up timer|\.\.\.\.\. |APIC calibration|APIC delta|random: |sched_clock: Marking|hrtimer: interrupt took|perf: interrupt took|Calibrating delay|smpboot: Total of|node \d+ deferred|workqueue: .* hogged CPU|rcu: INFO: rcu_\w+ detected).*\n?/gm,
      '',
    ],
  ],
  macs: [[/\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/gi, '<mac>']],
  uuids: [[/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<uuid>']],
  times: [
    [/^((?:<\d+>)?)\[ *\d+\.\d+\](?:\[ *[TC]\d+\])?/gm, '$1[<time>]'],
    [new RegExp(String.raw`\b\d{4}-\d\d-\d\d(?:[T ]${CLOCK}(?: ?(?:Z|UTC|[+-]\d\d:?\d\d)\b)?)?`, 'g'), '<time>'],
    [
      new RegExp(
        String.raw`\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?${MONTH} +\d{1,2} ${CLOCK}(?: [A-Z]{3,4})?(?: \d{4}\b)?`,
        'g',
      ),
      '<time>',
    ],
    [/\b\d\d\/\d\d\/\d{4}\b/g, '<time>'],
    [new RegExp(String.raw`(?<![\d:])${CLOCK}(?![\d:])`, 'g'), '<time>'],
    // Unix timestamps from 2017 to 2033.
    [/\b1[5-9]\d{8}(?:\.\d+)?\b/g, '<time>'],
  ],
  addresses: [
    // Shorter numbers are ports and feature bits, which do not change between boots.
    [/\b0x[0-9a-f]{5,}\b/gi, '<address>'],
    [/\bffff[0-9a-f]{12}\b/gi, '<address>'],
  ],
  hashes: [[/\b(?=\w*[a-f])(?=\w*\d)[0-9a-f]{16,}\b/gi, '<hash>']],
  rates: [[/\b\d+(?:\.\d+)?(?= ?(?:[kMG]Hz|BogoMIPS|[mµun]?s|secs?|seconds?|min|minutes?|jiffies)\b)/g, '<number>']],
  sizes: [[/\b\d+(?:\.\d+)?(?= ?(?:[KMGT]i?B?|kB|k|bytes|pages)\b)/g, '<number>']],
  pids: [
    [/\b(pid[ :=]+)\d+/gi, '$1<pid>'],
    // Init always has process id 1.
    [/(?<=^|[\s/])([\w.@-]+)\[(?!1\])\d+\](?=:)/gm, '$1[<pid>]'],
  ],
  versions: [
    [/\b(Linux version ).*/g, '$1<version>'],
    [/(?<![\d.])(?!\d+(?:\.\d+){3}(?![\d.]))v?\d+(?:\.\d+){2,}(?:[-+~][\w.+~]+)*/g, '<version>'],
  ],
}

/**
 * Replaces times, addresses, MAC addresses, UUIDs, hashes, sizes, rates, process ids and versions in a boot log by
 * placeholders. Removes lines that depend on the speed of the host, trailing spaces, and blank lines around the log.
 *
 * @throws OptionError `INVALID_OPTION`
 */
export function normalizeBootLog(log: string, options: NormalizeOptions = {}): string {
  const { normalizers = [], keep = [] } = options
  checkList('normalizers', normalizers, isNormalizer, 'pairs of pattern and replacement, or functions')
  checkList(
    'keep',
    keep,
    (one) => typeof one === 'string' && one in DETAILS,
    `some of ${Object.keys(DETAILS).join(', ')}`,
  )
  let text = log
  for (const normalizer of normalizers) text = applied(normalizer, text)
  for (const [detail, rules] of Object.entries(DETAILS)) {
    if (keep.some((kept) => kept === detail)) continue
    for (const [what, by] of rules) text = text.replace(what, by)
  }
  return text.replace(/[ \t\r]+$/gm, '').replace(/^\n+|\n+$/g, '')
}

function applied(normalizer: BootLogNormalizer, text: string): string {
  if (typeof normalizer === 'function') return normalizer(text)
  const [what, by] = normalizer
  if (typeof what === 'string') return text.replaceAll(what, by)
  return text.replace(new RegExp(what.source, what.flags.replace(/[gy]/g, '').concat('g')), by)
}

function isNormalizer(value: unknown): boolean {
  if (typeof value === 'function') return true
  if (!Array.isArray(value) || value.length !== 2) return false
  const [what, by]: unknown[] = value
  return (types.isRegExp(what) || (typeof what === 'string' && what !== '')) && typeof by === 'string'
}

function checkList(option: string, value: unknown, isItem: (item: unknown) => boolean, expected: string): void {
  if (Array.isArray(value) && value.every(isItem)) return
  throw new OptionError('INVALID_OPTION', `toMatchBootLog: \`${option}\` must be a list: ${expected}`)
}
