/** Applies the list of banned phrases to the pages, and tests the list itself. Lint applies it to the sources. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bannedPhrases, isCovered } from './plain-english.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

function pagesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (/^(node_modules|dist|fixtures|\..+)$/.test(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return pagesIn(path)
    return entry.name.endsWith('.md') ? [relative(ROOT, path)] : []
  })
}

const PAGES = pagesIn(ROOT).filter(isCovered)

test.for(PAGES)('%s has no banned phrase', (page) => {
  expect(bannedPhrases(readFileSync(join(ROOT, page), 'utf8'))).toEqual([])
})

test('covers the pages of packages', () => {
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'packages/runner/README.md', 'packages/guest/README.md']))
})

describe('the list of phrases', () => {
  test.for([
    'Told of each event.',
    'The words of a failure',
    'WHOEVER waits',
    'an answer in place of the file',
    'the machine’s name',
  ])('bans a phrase in: %s', (text) => {
    expect(bannedPhrases(text)).toHaveLength(1)
  })

  test('finds a phrase across a line break of a comment or a page', () => {
    expect(bannedPhrases('the words\n * of a failure')).toEqual([
      '"the words of" is not plain English: write "the message of" or "says".',
    ])
    expect(bannedPhrases('the words\nof a failure')).toHaveLength(1)
  })

  test('finds every occurrence', () => {
    expect(bannedPhrases('nobody waits for nobody')).toHaveLength(2)
  })

  test.for(['the passwords of all users', 'told off', 'root:x:0 nobody:x:65534', `the machine's "vm"`])(
    'allows: %s',
    (text) => {
      expect(bannedPhrases(text)).toEqual([])
    },
  )
})
