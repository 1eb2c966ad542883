import { describe, expect, test } from 'vitest'
import { partialMatchOf } from './partial-match.ts'
import { analyzeRegExp, parseRegExp, type RegExpAnalysis, UNKNOWN_ANALYSIS } from './regexp-analysis.ts'

function analysisOf(regexp: RegExp): RegExpAnalysis {
  const tree = parseRegExp(regexp)
  return tree === undefined ? UNKNOWN_ANALYSIS : analyzeRegExp(regexp, tree)
}

test.each([
  [/login: /, 7],
  [/a{2,4}|bc/, 4],
  [/é😀/u, 3],
  [/a(?=bcd)/, 4],
  [/a$/, 2],
  [/a*/, Infinity],
  [/(a)\1/, Infinity],
])('%s is decided by %d characters', (regexp, longest) => {
  expect(analysisOf(regexp).longest).toBe(longest)
})

test.each([
  [/a.*b/, false],
  [/[\d.]+ \w/, false],
  [/a.*b/s, true],
  [/a\s/, true],
  [/[^,]+/, true],
  [/a(?!\n)/, true],
  [/\x0a/, true],
  [/(?<=\n)a/, false],
])('%s crosses lines: %s', (regexp, crosses) => {
  expect(analysisOf(regexp).crossesLines).toBe(crosses)
})

test.each([
  [/[\d.]+/, true],
  [/a|(?:b \w+)/, true],
  [/\w+\b/, true],
  [/[#$] $/, false],
  [/\d+ ok/, false],
])('a match of %s could become longer: %s', (regexp, open) => {
  expect(analysisOf(regexp).openEnded).toBe(open)
})

test.each([
  [/login: /, ['login: ']],
  [/(\w+)@(\w+): .*/, ['@', ': ']],
  [/a(b(?:c)d)e+f/, ['abcd', 'f']],
  [/(?:\d+\.)+x/, ['x']],
  [/a(?=b)c(?<=d)|e/, []],
  [/a(?=b)c(?<!d)e/, ['a', 'c', 'e']],
  [/a(?:b|c)(?:d)?(?i:e)f{2}g/, ['a', 'g']],
  [/ab/i, []],
])('each match of %s contains %j', (regexp, literals) => {
  expect(analysisOf(regexp).literals).toEqual(literals)
})

describe('the backtracking bound', () => {
  test.each([
    /login: /,
    /inet (?<ip>[\d.]+)/,
    /(\w+)@(\w+): .*/,
    /(?:\d{1,3}\.){3}\d{1,3}/,
    /\[\d+\.\d+\] (panic|oops): \w+$/,
  ])('of %s are few, however long the line', (regexp) => {
    expect(analysisOf(regexp).backtracking(10_000)).toBeLessThan(10)
  })

  test.each([/a.*b/, /(?:\d+\.)+x/, /\w+\b/])('the backtracking bound of %s grows with the line', (regexp) => {
    expect(analysisOf(regexp).backtracking(10_000)).toBe(10_001)
  })

  test.each([/(a+)+$/, /(a|aa)+$/, /(\w+\s?)*:/, /(.*)*x/])(
    'the backtracking bound of %s grows without bound',
    (regexp) => {
      expect(analysisOf(regexp).backtracking(100)).toBe(Infinity)
    },
  )
})

test.each([
  [/(a)\1/, 'a backreference'],
  [/(?<=a$)b/m, 'an assertion on what follows, inside a lookbehind'],
  [/[\q{ok|yes}]/v, 'strings in a character class'],
])('%s cannot be rewritten for partial matches: %s', (regexp) => {
  const tree = parseRegExp(regexp)
  expect(tree && partialMatchOf(regexp, tree)).toBeUndefined()
})
