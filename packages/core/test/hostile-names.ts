/** File names that break careless command lines. */
import fc from 'fast-check'

const PIECES = [
  ',',
  '=',
  ',,',
  ',readonly=off',
  "'",
  '"',
  ' ',
  '\n',
  '\\',
  '$HOME',
  '`id`',
  ':',
  '%41',
  '-',
  'é',
  '日本',
  '🧪',
  '{',
  '}',
]

/** A path component that the file system of the host accepts: no `/`, no NUL, at most 255 bytes. */
export const hostileName: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'grapheme', maxLength: 8 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((pieces) => pieces.join('').replaceAll('/', '').replaceAll('\0', ''))
  .filter((name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255)

/** A few such names, for tests with a real machine. */
export const HOSTILE_NAMES: readonly string[] = [
  'comma,readonly=on,,x',
  'blank and \'quotes\' and "more"',
  'line\nbreak\\$HOME`id`',
  'unicode-é-日本-🧪',
]
