/** Formats the call of a matcher for messages, as in the source of the test. */
import { types } from 'node:util'
import type { MatcherContext } from './matcher-context.ts'

const LONGEST = 60

/** For example `expect(vm).not.toExit({ code: 33 })`. */
export function formatCall(context: MatcherContext, matcher: string, args: readonly unknown[]): string {
  const given = args.slice(0, args.findLastIndex((arg) => arg !== undefined && !isEmpty(arg)) + 1)
  return hintOf(context, matcher, given.map(formatValue).join(', '))
}

/** Formats a call whose arguments are already text. */
export function hintOf({ utils, isNot = false, promise = '' }: MatcherContext, matcher: string, args: string): string {
  return utils.matcherHint(matcher, 'vm', args, { isNot, promise })
}

/** Formats a value as a literal, shortened. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return shorten(JSON.stringify(value))
  if (types.isUint8Array(value)) return `(${value.length} bytes)`
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`
  if (types.isRegExp(value) || typeof value !== 'object' || value === null) return String(value)
  const name = value.constructor?.name ?? 'Object'
  // Compares the name, because a test runner may have another realm with its own `Object`.
  if (name !== 'Object') return `(${name})`
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return entries.length === 0
    ? '{}'
    : `{ ${entries.map(([key, entry]) => `${key}: ${formatValue(entry)}`).join(', ')} }`
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !types.isRegExp(value) && Object.keys(value).length === 0
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…"` : text
}
