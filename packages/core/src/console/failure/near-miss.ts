/** What came close to a pattern that did not match: the same but for its case, blanks, escape codes; or a similar line. */
import leven from 'leven'
import { ExpectBuffer } from '../match/expect-buffer.ts'
import type { Pattern } from '../match/pattern.ts'
import type { Guard } from '../match/regexp-guard.ts'
import { CleanText } from '../text/decoder.ts'

/** The output in which a pattern was looked for, in each way it can be seen. */
export interface Searched {
  /** Clean text behind the cursor. */
  readonly clean: string
  readonly raw: string
  readonly userspace: string
  /** Clean text before the cursor. */
  readonly consumed: string
  /** The view that was asked for. */
  readonly view: 'clean' | 'raw' | 'userspace'
}

/** What to tell about it. */
export interface NearMiss {
  /** What differs, as a sentence. */
  readonly hint: string
  /** The text that came close. */
  readonly text: string | undefined
}

/** Lines compared, and characters of each. */
const LINES = 400
const WIDTH = 300

/** A line that differs in more of the pattern than this is not similar. */
const LARGEST_DIFFERENCE = 0.34

/** @param guard bounds the time of regular expressions */
export function nearMiss(pattern: Pattern, searched: Searched, guard: Guard): NearMiss | undefined {
  const find = (variant: Pattern, text: string): string | undefined => matchIn(variant, text, guard)
  const seen = searched[searched.view]
  for (const [variant, text, hint] of variants(pattern, searched, seen)) {
    const found = find(variant, text)
    if (found !== undefined) return { hint, text: found }
  }
  return typeof pattern === 'string' ? similarLine(pattern, seen) : undefined
}

type Variant = readonly [pattern: Pattern, text: string, hint: string]

function* variants(pattern: Pattern, searched: Searched, seen: string): Generator<Variant, void, undefined> {
  yield [ignoringCase(pattern), seen, 'It was printed in another case: upper and lower case count.']
  if (searched.view === 'clean') {
    const hint =
      'The kernel spoke into the middle of it: wait with `{ view: "userspace" }`, which leaves its messages out.'
    yield [pattern, searched.userspace, hint]
  }
  if (searched.view === 'raw') {
    yield [
      pattern,
      searched.clean,
      'It was printed with escape codes or `\\r` in it: leave `view: "raw"` out, and patterns see clean text.',
    ]
  } else {
    yield [
      pattern,
      searched.raw,
      'It was printed as it is only in the raw output, escape codes and `\\r` included: wait with `{ view: "raw" }`.',
    ]
  }
  if (typeof pattern === 'string') {
    const decoder = new CleanText()
    const clean = decoder.push(pattern) + decoder.end()
    if (clean !== pattern && clean !== '') {
      yield [
        clean,
        searched.clean,
        'The pattern has escape codes or `\\r` in it, and patterns see clean text: leave them out.',
      ]
    }
    const blanks = ignoringBlanks(pattern)
    if (blanks !== undefined)
      yield [blanks, seen, 'It was printed with other blanks: their number, tabs and line ends count.']
    const expression = asExpression(pattern)
    if (expression !== undefined) {
      yield [
        expression,
        seen,
        `The pattern is a string, and was taken literally: as a regular expression, ${expression}, it matches.`,
      ]
    }
  } else if (searched.clean.includes(pattern.source)) {
    yield [
      pattern.source,
      searched.clean,
      'The text of the expression was printed literally: escape its special characters, or give a string.',
    ]
  }
  yield [
    pattern,
    searched.consumed,
    'It was printed before the previous match, which consumed it: wait for it earlier, or look back with `hasPrinted`.',
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

function matchIn(pattern: Pattern, text: string, guard: Guard): string | undefined {
  if (text === '') return undefined
  try {
    const buffer = new ExpectBuffer([pattern], { guard })
    return (buffer.push(text) ?? buffer.end())?.text
  } catch {
    // Too slow or not valid in this form: then this is not what was meant.
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
  return { hint: `A similar line was printed, of which ${characters}: did you mean that one?`, text: best.text }
}

/** The line, or where it is longer, each part of it that is as long as the pattern and begins with a word. */
function* partsLike(line: string, length: number): Generator<string, void, undefined> {
  if (line.length <= length * 1.5) yield line.trim()
  else for (const { index } of line.matchAll(/(?<!\w)\S/g)) yield line.slice(index, index + length).trim()
}

/** The longest beginning of the pattern that was printed. */
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
  return { hint: `Its beginning was printed, ${JSON.stringify(part)}, and went on in another way.`, text: line }
}
