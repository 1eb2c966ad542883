/** Checks an object of options against a table with one check per key. Unknown keys are rejected. */
import { inspect } from 'node:util'
import { OptionError } from '../errors.ts'
import { didYouMean } from './did-you-mean.ts'
import { requireAwaited } from './pending-options.ts'

/**
 * The check of one option: a description of valid values, for messages, a predicate, and the suggestion for a wrong value, as the
 * end of a message.
 */
export type Check = readonly [
  expected: string,
  accepts: (value: unknown) => boolean,
  suggest?: (value: unknown) => string,
]

/** One check for each key of the options. */
export type CheckTable<Options> = Readonly<Record<keyof Options, Check>>

export const isString = (value: unknown): value is string => typeof value === 'string'

/** A single line without NUL, because a NUL would end an argument, and a line break a kernel argument. */
export const isLine = (value: unknown): boolean => isString(value) && value !== '' && !/[\0\r\n]/.test(value)

export const isPath: Check = ['a path', (value) => isString(value) && value !== '' && !value.includes('\0')]

export const isFlag: Check = ['true or false', (value) => typeof value === 'boolean']

export const isObject: Check = [
  'an object',
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
]

export const isDuration: Check = [
  'a number of milliseconds above 0',
  (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
]

export const isSignal: Check = ['an AbortSignal', (value) => value instanceof AbortSignal]

/** @param aliases names of other tools → the name, for suggestions */
export const oneOf = (names: readonly string[], aliases: Readonly<Record<string, string>> = {}): Check => [
  `one of ${names.join(', ')}`,
  (value) => isString(value) && names.includes(value),
  (value) => (isString(value) ? didYouMean(value, names, aliases) : ''),
]

export const wholeNumber = (least: number, most: number): Check => [
  `a whole number from ${least} to ${most}`,
  (value) => typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most,
]

/**
 * A size of memory: a whole number with its unit, in powers of 1024, such as `256M` or `2G`. The number has the type
 * `bigint`, because `number` would allow a blank after it. To compute a size, write `${BigInt(megabytes)}M`.
 */
export type MemorySize = `${bigint}${'M' | 'G'}${'' | 'B' | 'iB'}`

const MEMORY = /^(\d+)([MG])(?:i?B)?$/

export const isMemorySize: Check = [
  'a size such as "256M" or "2G"',
  (value) => isString(value) && MEMORY.test(value) && memoryMibOf(value) > 0,
]

/** Converts a size that has passed {@link isMemorySize} to MiB: `'2G'` → 2048. */
export function memoryMibOf(memory: string): number {
  const [, number = '0', unit] = MEMORY.exec(memory) ?? []
  return Number(number) * (unit === 'G' ? 1024 : 1)
}

/**
 * Checks every option. An undefined value counts as omitted.
 *
 * @param owner prefix of messages, such as `p9Directory`; empty for options of a machine
 * @throws OptionError `UNKNOWN_OPTION` with the nearest known key, `INVALID_OPTION` with the expected value
 */
export function checkTable<Options extends object>(
  owner: string,
  options: Options,
  table: CheckTable<Required<Options>>,
): void {
  const prefix = owner === '' ? '' : `${owner}: `
  requireObject(`${prefix}the options`, options)
  const checks: Readonly<Record<string, Check>> = table
  for (const [key, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined
    if (check === undefined) throw unknownKey(prefix, key, Object.keys(checks))
    requireAwaited(prefix, value)
    if (value !== undefined && !check[1](value)) {
      const [expected, , suggest] = check
      const message = `${prefix}\`${key}\` must be ${expected}, but is ${inspectValue(value)}${suggest?.(value) ?? ''}`
      throw new OptionError('INVALID_OPTION', message)
    }
  }
}

/**
 * @param what plural subject of the message, such as `the options`
 * @throws OptionError `INVALID_OPTION` if `value` is not an object: a list, a string, a promise without `await`
 */
export function requireObject(what: string, value: unknown): void {
  if (isPromise(value)) {
    throw new OptionError('INVALID_OPTION', `${what} are a promise`, {
      hint: 'Write `await` before the call that returned it.',
    })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw new OptionError('INVALID_OPTION', `${what} must be an object, but are ${inspectValue(value)}`)
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function unknownKey(prefix: string, key: string, known: readonly string[]): OptionError {
  return new OptionError('UNKNOWN_OPTION', `${prefix}Unknown option \`${key}\`${didYouMean(key, known)}`, {
    hint: known.length === 0 ? 'It takes no options.' : `The options are ${known.join(', ')}.`,
  })
}

/** Formats a value for a message, on one line. */
export function inspectValue(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  // Unlike JSON, `inspect` shows functions and circular references.
  if (typeof value === 'object') return inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5 })
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value)
}
