import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../scripts/setup.mjs'
import { brokenLinks } from './broken-links.mjs'
import { sitePages } from './pages.mjs'

test('the site contains every guide, README and example', () => {
  const expected = globSync(['docs/*.md', 'packages/*/README.md', 'examples/*/package.json'], { cwd: ROOT })
  const sources = sitePages().map(({ source }) => source)
  expect(expected.map((path) => path.replace('/package.json', '')).filter((path) => !sources.includes(path))).toEqual(
    [],
  )
  expect(new Set(sitePages().map(({ title }) => title)).size).toBe(sources.length)
})

test('an example page shows its tests and its configuration', () => {
  const text = sitePages().find(({ source }) => source === 'examples/hello')?.text
  expect(text).toMatch(/## boot\.test\.ts\n\n```ts\n[\s\S]*## vitest\.config\.ts\n/)
})

test('finds links to missing files and anchors', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-site-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(
    join(folder, 'a.html'),
    '<h1 id="top"><a href="b.html#here">1</a><a href="b.html#gone">2</a><a href="c.html">3</a><a href="#top">4</a><a href="./">5</a>',
  )
  writeFileSync(join(folder, 'b.html'), '<h1 id="here"><a href="https://example.org/">6</a><img src="none.png">')
  writeFileSync(join(folder, 'index.html'), '<p>')
  expect(brokenLinks(folder).toSorted()).toEqual([
    'a.html: b.html#gone leads nowhere',
    'a.html: c.html leads nowhere',
    'b.html: none.png leads nowhere',
  ])
})
