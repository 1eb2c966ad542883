import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ColdbootError } from '../../errors.ts'
import { ExpectBuffer } from './expect-buffer.ts'
import type { Found, Pattern } from './pattern.ts'

/** Reference implementation for the rules in the header of expect-buffer.ts: `exec` on the whole text. */
function matchOfTheWhole(patterns: readonly Pattern[], text: string): Found | undefined {
  let best: Found | undefined
  for (const [index, pattern] of patterns.entries()) {
    const regexp =
      typeof pattern === 'string' ? undefined : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
    const result = regexp?.exec(text) ?? undefined
    const start = typeof pattern === 'string' ? text.indexOf(pattern) : (result?.index ?? -1)
    const matched = typeof pattern === 'string' ? pattern : (result?.[0] ?? '')
    if (start < 0 || (best !== undefined && best.start <= start)) continue
    best = { index, start, end: start + matched.length, text: matched, result }
  }
  return best
}

function feed(patterns: readonly Pattern[], pieces: readonly string[]): Found | undefined {
  const buffer = new ExpectBuffer(patterns)
  try {
    for (const piece of pieces) {
      const found = buffer.push(piece)
      if (found !== undefined) return found
    }
    return buffer.end()
  } catch (error) {
    // A few of the random expressions are exponential. Other tests cover them.
    fc.pre(!ColdbootError.is(error))
    throw error
  }
}

/** All properties of a match that a caller can see. */
function facts(found: Found | undefined): unknown {
  if (found === undefined) return undefined
  const { index, start, end, text, result } = found
  return { index, start, end, text, captures: result?.slice(1), groups: { ...result?.groups } }
}

/** Splits a text between characters, because the decoder never emits half a character. */
function cut(text: string, places: readonly number[]): string[] {
  const characters = Array.from(text)
  const sorted = [0, ...places.map((place) => place % (characters.length + 1)), characters.length].sort((a, b) => a - b)
  return sorted.slice(1).map((end, index) => characters.slice(sorted[index], end).join(''))
}

// Only few different characters, so that patterns often match, almost match and overlap.
const character = fc.constantFrom('a', 'b', 'c', ' ', '\n', '1', '😀', 'é')
const text = fc.string({ unit: character, maxLength: 60 })
const places = fc.array(fc.nat(200), { maxLength: 12 })
const flags = fc.subarray(['i', 'm', 's', 'g', 'y']).map((list) => list.join(''))
const unicode = fc.constantFrom('', 'u', 'v')

const atom = fc.constantFrom(
  'a',
  'b',
  'c',
  ' ',
  '\\n',
  '.',
  '\\d',
  '\\w',
  '\\s',
  '\\S',
  '[ab]',
  '[^a]',
  '[a-c1]',
  'é',
  '😀',
  '[^]',
)
const zeroWidth = fc.constantFrom('^', '$', '\\b', '\\B')
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?', '{2,}')

const { source } = fc.letrec<{ source: string; sequence: string; element: string; group: string }>((tie) => ({
  source: fc.array(tie('sequence'), { minLength: 1, maxLength: 2 }).map((list) => list.join('|')),
  sequence: fc.array(tie('element'), { minLength: 1, maxLength: 4 }).map((list) => list.join('')),
  element: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 6, arbitrary: fc.tuple(atom, quantifier).map(([what, times]) => what + times) },
    { weight: 1, arbitrary: zeroWidth },
    { weight: 2, arbitrary: tie('group') },
  ),
  // Repetitions of groups are rare, because most nested ones are exponential.
  group: fc
    .tuple(
      fc.constantFrom('(', '(?:', '(?=', '(?!', '(?<=', '(?<!'),
      tie('source'),
      fc.oneof({ weight: 4, arbitrary: fc.constantFrom('', '?', '{2}') }, quantifier),
    )
    .map(([open, inner, times]) => `${open}${inner})${open === '(' || open === '(?:' ? times : ''}`),
}))

// Syntax that cannot be rewritten for partial matches.
const hard = fc.constantFrom('(a|b) ?\\1|', '(?<=a$)b|', '(?<=b\\b) |')
const regexp = fc
  .tuple(fc.oneof({ weight: 9, arbitrary: fc.constant('') }, hard), source, flags, unicode)
  .map(([start, rest, list, mode]) => new RegExp(start + rest, list + mode))
  .filter((pattern) => !new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(''))
const string = fc.string({ unit: character, minLength: 1, maxLength: 5 })
const pattern: fc.Arbitrary<Pattern> = fc.oneof(string, regexp)

describe('any chunks of any text', () => {
  test('gives the same match of a string as in the whole text', () => {
    fc.assert(
      fc.property(string, text, places, (wanted, whole, cuts) => {
        expect(facts(feed([wanted], cut(whole, cuts)))).toEqual(facts(matchOfTheWhole([wanted], whole)))
      }),
      { numRuns: 2000 },
    )
  })

  test('gives the same match of literals with any text between them as in the whole text', () => {
    const literal = fc.string({ unit: fc.constantFrom('a', 'b', '1'), minLength: 1, maxLength: 3 })
    const gap = fc.constantFrom('[^]*', '[^]*?', '[\\s\\S]*', '[\\s\\S]*?', '(?:[^]*)')
    const between = fc
      .tuple(literal, gap, literal, fc.constantFrom('', 'c+', '$', '(?=c)'))
      .map(([first, any, last, end]) => new RegExp(first + any + last + end))
    fc.assert(
      fc.property(fc.array(between, { minLength: 1, maxLength: 2 }), text, places, (patterns, whole, cuts) => {
        expect(facts(feed(patterns, cut(whole, cuts)))).toEqual(facts(matchOfTheWhole(patterns, whole)))
      }),
      { numRuns: 500 },
    )
  })

  test('gives the same match of a regular expression as in the whole text', () => {
    fc.assert(
      fc.property(regexp, text, places, (wanted, whole, cuts) => {
        expect(facts(feed([wanted], cut(whole, cuts)))).toEqual(facts(matchOfTheWhole([wanted], whole)))
      }),
      { numRuns: 1500 },
    )
  })

  test('gives the same earliest match of a list as in the whole text, ties by order', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), text, places, (wanted, whole, cuts) => {
        expect(facts(feed(wanted, cut(whole, cuts)))).toEqual(facts(matchOfTheWhole(wanted, whole)))
      }),
      { numRuns: 800 },
    )
  })
})

describe('a match is returned as soon as nothing can change it', () => {
  test.each<[name: string, patterns: Pattern[], text: string]>([
    ['a string', ['login: '], 'vm login: '],
    ['a fixed regular expression at the end of the text', [/[Ll]ogin: /], 'vm login: '],
    ['a repetition whose end has been seen, in the middle of a line', [/inet (?<ip>[\d.]+)/], 'inet 10.0.0.1 '],
    ['a repetition with a fixed suffix', [/\w+@\w+# /], 'root@vm# '],
    ['a greedy dot at the end of its line', [/version .*/], 'Linux version 6.1 (gcc 12)\n'],
    ['a lazy match across lines', [/BEGIN[^]*?END/], 'BEGIN\none\ntwo\nEND'],
    ['a line of its own', [/^ok$/m], 'not ok\nok\n'],
    ['a backreference on a line that is complete', [/(\w+)=\1;/], 'a=b;c=c;\n'],
    ['the first of a list, when the other can only come later', ['ab', 'abc'], 'xab'],
    ['the longer of a list, complete', ['abc', 'ab'], 'xabc'],
    ['a string in a list with a regular expression that has not begun', ['login: ', /panic: .*/], 'vm login: '],
  ])('%s', (_name, patterns, output) => {
    const byPiece = new ExpectBuffer(patterns)
    const expected = matchOfTheWhole(patterns, output)
    expect(expected).toBeDefined()
    const results = Array.from(output, (piece) => byPiece.push(piece))
    expect(facts(results.find((found) => found !== undefined))).toEqual(facts(expected))
  })
})

describe('a match that further output can change', () => {
  test.each<[name: string, patterns: Pattern[], text: string, more: string, match: string]>([
    ['half an address', [/inet ([\d.]+)/], 'inet 10.0', '.0.1\n', 'inet 10.0.0.1'],
    ['the shorter of two strings', ['abc', 'ab'], 'ab', 'c', 'abc'],
    ['a later match, while an earlier one may have begun', [/<[^>]*>/, 'b'], '<ab', '>', '<ab>'],
    ['a greedy match across lines', [/BEGIN[^]*END/], 'BEGIN END', ' END\n', 'BEGIN END END'],
    ['a word that may go on', [/\bca\w*\b/], 'ca', 't ', 'cat'],
    ['a negative lookahead', [/foo(?!bar)|b/], 'foob', 'ar', 'b'],
  ])('%s, waits for it', (_name, patterns, first, more, match) => {
    const buffer = new ExpectBuffer(patterns)
    expect(buffer.push(first)).toBeUndefined()
    expect(buffer.undecided).toBe(true)
    const found = buffer.push(more) ?? buffer.end()
    expect(found?.text).toBe(match)
  })

  test('is returned when the output settles', () => {
    const buffer = new ExpectBuffer([/[#$] $/])
    expect(buffer.push('$ ls\nfile\n$ ')).toBeUndefined()
    expect(facts(buffer.settle(false))).toMatchObject({ start: 10, text: '$ ' })
  })

  test('a match that could have become longer is returned only after a longer silence', () => {
    const buffer = new ExpectBuffer([/inet [\d.]+/])
    buffer.push('inet 10.0')
    expect(buffer.settle(false)).toBeUndefined()
    expect(buffer.settle(true)?.text).toBe('inet 10.0')
  })

  test('continues after settling without a match', () => {
    const buffer = new ExpectBuffer([/(\w+): ok$/m])
    buffer.push('disk: ')
    expect(buffer.settle(true)).toBeUndefined()
    expect(buffer.push('ok\n')?.text).toBe('disk: ok')
  })
})

describe('the buffer', () => {
  test('does not change the regular expression of the caller', () => {
    const pattern = /b/gy
    pattern.lastIndex = 1
    expect(new ExpectBuffer([pattern]).push('aab')?.start).toBe(2)
    expect(pattern.lastIndex).toBe(1)
  })

  test('has nothing to settle when no match has begun', () => {
    const buffer = new ExpectBuffer(['login: ', /panic: .*/])
    buffer.push('booting\n')
    expect(buffer.undecided).toBe(false)
  })

  test('gives up on the oldest text when a match that has begun exceeds the limit', () => {
    const buffer = new ExpectBuffer([/<[^>]*>/], { keep: 4096 })
    buffer.push('<')
    for (let count = 0; count < 100; count++) expect(buffer.push('x'.repeat(1000))).toBeUndefined()
    expect((buffer.push(`${'y'.repeat(100_000)}<z>`) ?? buffer.end())?.text).toBe('<z>')
  })

  test('does not treat the oldest kept text as the cursor', () => {
    const buffer = new ExpectBuffer([/^x+y|z/], { keep: 4096 })
    buffer.push('x'.repeat(10_000))
    expect((buffer.push('yz') ?? buffer.end())?.text).toBe('z')
  })
})
