/** A matcher’s call as its user wrote it, for messages. */
import type { MatcherContext } from './matcher-context.ts'

const LONGEST = 60

/** `expect(vm).not.toExit({ code: 33 })`. */
export function shownCall(context: MatcherContext, matcher: string, args: readonly unknown[]): string {
  const given = args.slice(0, args.findLastIndex((arg) => arg !== undefined && !isEmpty(arg)) + 1)
  return hintOf(context, matcher, given.map(shownValue).join(', '))
}

/** The same with the arguments as text. */
export function hintOf({ utils, isNot = false, promise = '' }: MatcherContext, matcher: string, args: string): string {
  return utils.matcherHint(matcher, 'vm', args, { isNot, promise })
}

/** A value as it stands in source, as far as it is of interest. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return shorten(JSON.stringify(value))
  if (value instanceof Uint8Array) return `(${value.length} bytes)`
  if (Array.isArray(value)) return `[${value.map(shownValue).join(', ')}]`
  if (value instanceof RegExp || typeof value !== 'object' || value === null) return String(value)
  if (Object.getPrototypeOf(value) !== Object.prototype) return `(${value.constructor?.name ?? 'object'})`
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return entries.length === 0 ? '{}' : `{ ${entries.map(([key, entry]) => `${key}: ${shownValue(entry)}`).join(', ')} }`
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof RegExp) && Object.keys(value).length === 0
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…"` : text
}
