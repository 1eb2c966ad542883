import { expect, test } from 'vitest'
import { OptionError } from '../../errors.ts'
import { describePatterns, patternList, toMatch } from './pattern.ts'

test.each([
  ['an empty string', '', /empty string/],
  ['an empty list', [], /list of patterns is empty/],
  ['an empty string in a list', ['a', ''], /empty string/],
  ['a regular expression that matches nothing', /a*/, /\/a\*\/ matches the empty string/],
  ['a number', 7, /must be a string or a RegExp, but is number/],
  ['null', null, /is null/],
])('%s is refused', (_what, input, message) => {
  // A caller without types may pass anything.
  const list = patternList as (value: unknown) => unknown
  expect(() => list(input)).toThrow(OptionError)
  expect(() => list(input)).toThrow(message)
})

test('formats a pattern as written', () => {
  expect(describePatterns(['a\n"b"'])).toBe('"a\\n\\"b\\""')
  expect(describePatterns([/a\/b/i, 'c'])).toBe('any of /a\\/b/i, "c"')
})

test('a match has the participating groups, and is frozen', () => {
  const result = /(?<a>x)|(?<b>y)/.exec('y') ?? undefined
  const match = toMatch({ index: 1, start: 2, end: 3, text: 'y', result }, ['z', /y/], 'ab', 0)
  expect(match).toEqual({
    text: 'y',
    before: 'ab',
    index: 1,
    pattern: /y/,
    groups: { b: 'y' },
    captures: [undefined, 'y'],
    dropped: 0,
  })
  expect([match, match.groups, match.captures].every((part) => Object.isFrozen(part))).toBe(true)
})
