/** Finds output that is close to a pattern: it differs only in case, blanks or escape codes, or a line is similar. */
import leven from 'leven'
import { ExpectBuffer } from '../match/expect-buffer.ts'
import type { Pattern } from '../match/pattern.ts'
import type { RegExpTimeout } from '../match/regexp/regexp-timeout.ts'
import { CleanText } from '../text/decoder.ts'

/** The searched output, in each view. */
export interface Searched {
  /** Clean text after the cursor. */
  readonly clean: string
  readonly raw: string
  readonly userspace: string
  /** Clean text before the cursor. */
  readonly consumed: string
  /** The view of the wait. */
  readonly view: 'clean' | 'raw' | 'userspace'
}

/** Output that almost matches. */
export interface NearMiss {
  /** The difference, as a sentence. */
  readonly hint: string
  /** The output that almost matches. */
  readonly text: string | undefined
}

/** Number of last lines that are compared, and most characters of a line. */
const LINES = 400
const WIDTH = 300

/** Largest edit distance of a similar line, as a fraction of the length of the pattern. */
const LARGEST_DIFFERENCE = 0.34

/** Finds output that almost matches a pattern. @param regExpTimeout limits the time of regular expressions */
export function nearMiss(pattern: Pattern, searched: Searched, regExpTimeout: RegExpTimeout): NearMiss | undefined {
  const find = (variant: Pattern, text: string): string | undefined => matchIn(variant, text, regExpTimeout)
  const seen = searched[searched.view]
  for (const [variant, text, hint] of variants(pattern, searched, seen)) {
    const found = find(variant, text)
    if (found !== undefined) return { hint, text: found }
  }
  return typeof pattern === 'string' ? similarLine(pattern, seen) : undefined
}

type Variant = readonly [pattern: Pattern, text: string, hint: string]

function* variants(pattern: Pattern, searched: Searched, seen: string): Generator<Variant, void, undefined> {
  yield [ignoringCase(pattern), seen, 'The output differs from the pattern only in upper and lower case.']
  if (searched.view === 'clean') {
    const hint = 'Kernel messages interrupt the output. Wait with `{ view: "userspace" }`, which removes them.'
    yield [pattern, searched.userspace, hint]
  }
  if (searched.view === 'raw') {
    yield [
      pattern,
      searched.clean,
      'The output has escape codes or control characters in it. Remove `view: "raw"`: the default view has neither.',
    ]
  } else {
    yield [
      pattern,
      searched.raw,
      'The pattern matches only the raw output, with its escape codes and control characters. Wait with `{ view: "raw" }`.',
    ]
  }
  if (typeof pattern === 'string') {
    const decoder = new CleanText()
    const clean = decoder.push(pattern) + decoder.end()
    if (clean !== pattern && clean !== '') {
      yield [
        clean,
        searched.clean,
        'The pattern has escape codes or control characters in it, but the text that is searched has neither. Remove them from the pattern.',
      ]
    }
    const blanks = ignoringBlanks(pattern)
    if (blanks !== undefined)
      yield [blanks, seen, 'The output differs from the pattern only in spaces, tabs or line ends.']
    const expression = asExpression(pattern)
    if (expression !== undefined) {
      yield [
        expression,
        seen,
        `The pattern is a string and is matched literally. As a regular expression, ${expression}, it would match.`,
      ]
    }
  } else if (searched.clean.includes(pattern.source)) {
    yield [
      pattern.source,
      searched.clean,
      'The output has the text of the regular expression literally. Escape its special characters, or pass a string.',
    ]
  }
  yield [
    pattern,
    searched.consumed,
    'It was printed before the previous match, which consumed it. Wait for it earlier, or check earlier output with `hasPrinted`.',
  ]
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function ignoringCase(pattern: Pattern): RegExp {
  if (typeof pattern === 'string') return new RegExp(escaped(pattern), 'i')
  return new RegExp(pattern.source, `${pattern.flags.replace(/[giy]/g, '')}i`)
}

function ignoringBlanks(pattern: string): RegExp | undefined {
  const words = pattern.split(/\s+/).filter((word) => word !== '')
  return words.length === 0 ? undefined : new RegExp(words.map((word) => escaped(word)).join('\\s*'))
}

function asExpression(pattern: string): RegExp | undefined {
  if (!/\.[*+?]|\\[dwsb]|\[.+\]|\(.*\|.*\)|[\w)][*+]|^\^|\$$/.test(pattern)) return undefined
  try {
    const expression = new RegExp(pattern)
    return expression.test('') ? undefined : expression
  } catch {
    return undefined
  }
}

function matchIn(pattern: Pattern, text: string, regExpTimeout: RegExpTimeout): string | undefined {
  if (text === '') return undefined
  try {
    const buffer = new ExpectBuffer([pattern], { regExpTimeout })
    return (buffer.push(text) ?? buffer.end())?.text
  } catch {
    // A variant of the pattern that is too slow or not valid is skipped.
    return undefined
  }
}

function similarLine(pattern: string, seen: string): NearMiss | undefined {
  const wanted = pattern.trim()
  const limit = Math.floor(wanted.length * LARGEST_DIFFERENCE)
  if (limit === 0 || wanted.length > WIDTH) return partOf(pattern, seen)
  let best: { readonly text: string; readonly distance: number } | undefined
  for (const line of seen.split('\n').slice(-LINES).toReversed()) {
    for (const part of partsLike(line.slice(0, WIDTH), wanted.length)) {
      const distance = leven(part, wanted, { maxDistance: best === undefined ? limit + 1 : best.distance })
      if (distance <= limit && (best === undefined || distance < best.distance)) best = { text: line.trim(), distance }
    }
  }
  if (best === undefined) return partOf(pattern, seen)
  const characters = best.distance === 1 ? '1 character differs' : `${best.distance} characters differ`
  return { hint: `A similar line was printed (${characters}). Did you mean that one?`, text: best.text }
}

/**
 * Parts of a line to compare: the whole line, or for a longer line each part that starts at a word, as long as the
 * pattern.
 */
function* partsLike(line: string, length: number): Generator<string, void, undefined> {
  if (line.length <= length * 1.5) yield line.trim()
  else for (const { index } of line.matchAll(/(?<!\w)\S/g)) yield line.slice(index, index + length).trim()
}

/** Finds the longest start of the pattern that was printed. */
function partOf(pattern: string, seen: string): NearMiss | undefined {
  let [low, high] = [0, pattern.length]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (seen.includes(pattern.slice(0, middle))) low = middle
    else high = middle - 1
  }
  const part = pattern.slice(0, low)
  if (part.trim().length < Math.max(4, pattern.length / 3)) return undefined
  const at = seen.lastIndexOf(part)
  const line = seen.slice(seen.lastIndexOf('\n', at) + 1).split('\n', 1)[0] ?? part
  return { hint: `Only the beginning of the pattern was printed, ${JSON.stringify(part)}.`, text: line }
}
