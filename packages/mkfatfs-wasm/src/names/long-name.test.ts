import { expect, test } from 'vitest'
import { whyInvalid } from './long-name.ts'

const strict = { allowDeviceNames: false }

test.for([
  'a',
  'README.md',
  '.hidden',
  ' leading blank',
  'two  blanks',
  'a+b=c;[d],e.txt',
  'console.log',
  'com10',
  'nul1.txt',
  '日本語.txt',
  '😀.png',
  `${'x'.repeat(255)}`,
])('"%s" can be stored', (name) => {
  expect(whyInvalid(name, strict)).toBeUndefined()
})

test.for([
  ['a*b', 'reserved character *'],
  ['a?', 'reserved character ?'],
  ['C:', 'reserved character :'],
  ['a\\b', 'reserved character \\'],
  ['"a"', 'reserved character "'],
  ['<a>', 'reserved character <'],
  ['a|b', 'reserved character |'],
  ['a\nb', 'control character U+000a'],
  ['a\x7f', 'control character U+007f'],
  ['a\x85', 'control character U+0085'],
  ['a.', 'trailing dot'],
  ['a ', 'trailing blank'],
  ['...', 'trailing dot'],
  ['x'.repeat(256), '256 UTF-16 units, the most are 255'],
  ['😀'.repeat(128), '256 UTF-16 units, the most are 255'],
  ['\ud83d', 'half of a surrogate pair'],
] as const)('"%s" is refused: %s', ([name, reason]) => {
  expect(whyInvalid(name, strict)).toBe(reason)
})

test.for(['con', 'AUX', 'aux.c', 'Nul.tar.gz', 'com1', 'LPT9.txt', 'com¹'])(
  '"%s" is a device, unless allowed',
  (name) => {
    expect(whyInvalid(name, strict)).toContain('a device on Windows')
    expect(whyInvalid(name, { allowDeviceNames: true })).toBeUndefined()
  },
)
