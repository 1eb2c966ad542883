/** Patterns of `expect` (a string, a regular expression, or a list of them) and the match that it returns. */
import { OptionError } from '../../errors.ts'

/** A string is matched literally. A `RegExp` is not changed; its flags `g` and `y` and its `lastIndex` are ignored. */
export type Pattern = string | RegExp

/** One pattern, or several of which the earliest match wins, ties by order. */
export type PatternInput = Pattern | readonly Pattern[]

/** A match on the console. Frozen. */
export interface Match {
  /** The matched text. */
  readonly text: string
  /** The text between the previous match and this one. */
  readonly before: string
  /** Index of the pattern that matched; 0 if there was only one. */
  readonly index: number
  /** The pattern that matched. */
  readonly pattern: Pattern
  /** Named groups that participated in the match. Empty for a string. */
  readonly groups: Readonly<Record<string, string>>
  /** Numbered groups, the first at 0; `undefined` if a group did not participate. Empty for a string. */
  readonly captures: readonly (string | undefined)[]
  /** Characters missing at the start of `before`, because they are no longer in memory. */
  readonly dropped: number
}

/** Result of a search. */
export interface Found {
  readonly index: number
  /** Start of the match, characters from the cursor. */
  readonly start: number
  /** Position after the last character of the match. */
  readonly end: number
  readonly text: string
  /** The result of the regular expression. */
  readonly result: RegExpExecArray | undefined
}

/**
 * Normalizes patterns to a list.
 * @throws OptionError `INVALID_OPTION` for an empty list, an empty string, a regular expression that matches the empty
 * string
 */
export function patternList(input: PatternInput): readonly Pattern[] {
  const patterns = isList(input) ? [...input] : [input]
  if (patterns.length === 0) throw new OptionError('INVALID_OPTION', 'The list of patterns is empty')
  for (const pattern of patterns) check(pattern)
  return Object.freeze(patterns)
}

/** Formats patterns for messages: `"login: "`, `/inet (\S+)/`, `any of "a", /b/`. */
export function describePatterns(patterns: readonly Pattern[]): string {
  const names = patterns.map((pattern) => (typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern)))
  return names.length === 1 ? names.join() : `any of ${names.join(', ')}`
}

/** Converts a search result to the public form. */
export function toMatch(found: Found, patterns: readonly Pattern[], before: string, dropped: number): Match {
  const pattern = patterns[found.index] ?? found.text
  const groups = Object.entries(found.result?.groups ?? {}).filter(([, text]) => text !== undefined)
  return Object.freeze({
    text: found.text,
    before,
    index: found.index,
    pattern,
    groups: Object.freeze(Object.fromEntries(groups)),
    captures: Object.freeze(found.result?.slice(1) ?? []),
    dropped,
  })
}

function isList(input: PatternInput): input is readonly Pattern[] {
  return Array.isArray(input)
}

function check(pattern: unknown): void {
  if (pattern instanceof RegExp || Object.prototype.toString.call(pattern) === '[object RegExp]') {
    checkRegExp(pattern as RegExp)
  } else if (typeof pattern !== 'string') {
    const kind = pattern === null ? 'null' : typeof pattern
    throw new OptionError('INVALID_OPTION', `A pattern must be a string or a RegExp, but is ${kind}`)
  } else if (pattern === '') {
    throw new OptionError('INVALID_OPTION', 'A pattern is the empty string, which matches at once')
  }
}

function checkRegExp(pattern: RegExp): void {
  if (!new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test('')) return
  throw new OptionError(
    'INVALID_OPTION',
    `The pattern ${pattern} matches the empty string, so it would match at once`,
    {
      hint: 'Require at least one character, for example with `+` instead of `*`.',
    },
  )
}
