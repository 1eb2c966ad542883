import fc from 'fast-check'
import { expect, test } from 'vitest'
import { names } from '../../test/generated-trees.ts'
import { foldCase } from './case-fold.ts'
import { nameEntries, slotsFor } from './short-name.ts'

test.for([
  ['README.MD', 'README  MD ', 0, false],
  ['readme.md', 'README  MD ', 0x18, false],
  ['README.md', 'README  MD ', 0x10, false],
  ['readme.MD', 'README  MD ', 0x08, false],
  ['a1~$%', 'A1~$%      ', 0x08, false],
  ['12345678.123', '12345678123', 0, false],
  ['ReadMe.md', 'README  MD ', 0, true],
  ['long name.text', 'LONGNA~1TEX', 0, true],
  ['.bashrc', 'BASHRC~1   ', 0, true],
  ['archive.tar.gz', 'ARCHIV~1GZ ', 0, true],
  ['a+b.c', 'A_B~1   C  ', 0, true],
  ['日本.txt', '__~1    TXT', 0, true],
  ['😀', '_~1        ', 0, true],
  ['a.b c', 'A~1     BC ', 0, true],
] as const)('stores "%s" as "%s"', ([name, short, caseFlags, hasLongName]) => {
  expect(nameEntries([name])).toEqual([{ short, caseFlags, hasLongName }])
})

test('short names of a directory are unique, legal, and take the predicted slots', () => {
  const directory = fc.uniqueArray(names, { selector: foldCase, maxLength: 60 })
  fc.assert(
    fc.property(directory, (children) => {
      const entries = nameEntries(children)
      expect(new Set(entries.map(({ short }) => short)).size).toBe(children.length)
      for (const [index, { short, hasLongName }] of entries.entries()) {
        const name = children[index] ?? ''
        expect(short).toMatch(/^[A-Z0-9!#$%&'()@^_`{}~-]{1,8} *(?<=^.{8})[A-Z0-9!#$%&'()@^_`{}~-]{0,3} *$/)
        expect(short).toHaveLength(11)
        expect(slotsFor(name)).toBe(hasLongName ? 1 + Math.ceil(name.length / 13) : 1)
      }
    }),
  )
})

test('a name that fits is unchanged if the tail of another name would produce it', () => {
  const entries = nameEntries(['longname one.txt', 'longna~1.txt'])
  expect(entries.map(({ short }) => short)).toEqual(['LONGNA~2TXT', 'LONGNA~1TXT'])
})

test('twenty thousand similar names get unique short names', () => {
  const similar = Array.from({ length: 20_000 }, (_, index) => `a file with a number ${index}.data`)
  expect(new Set(nameEntries(similar).map(({ short }) => short)).size).toBe(similar.length)
})
