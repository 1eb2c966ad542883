/** Checks the pages: their code is part of tested examples, and their links are valid. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isUrl, linksIn } from './markdown-links.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** Files below a folder with this ending, except installed and generated ones. */
function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (/^(node_modules|dist|\..+)$/.test(entry.name)) return []
    if (entry.isDirectory()) return filesIn(path, ending)
    return entry.isFile() && path.endsWith(ending) ? [path] : []
  })
}

/** The code of the examples and of docs/snippets.ts, also with one or two levels of indentation removed. */
const CODE = [...filesIn('examples', '.ts'), 'docs/snippets.ts'].flatMap((file) => {
  const code = read(file)
  return ['', '  ', '    '].map((indent) => code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
})

test.for([
  ['docs/artifacts.md', 3],
  ['docs/bring-your-own.md', 5],
  ['docs/cloud-init.md', 2],
  ['docs/coming-from.md', 1],
  ['docs/console.md', 6],
  ['docs/coverage.md', 2],
  ['docs/debugging.md', 3],
  ['docs/devices.md', 13],
  ['docs/inside-the-guest.md', 5],
  ['docs/kernels.md', 2],
  ['docs/stock-images.md', 3],
  ['docs/interaction.md', 3],
  ['docs/templates.md', 5],
  ['docs/time-travel.md', 2],
  ['docs/time.md', 1],
  ['packages/core/README.md', 1],
  ['packages/vitest/README.md', 4],
] as const)('%s shows unchanged code of examples', ([page, count]) => {
  const snippets = [...read(page).matchAll(/^```ts\n(?:\/\/ \S+\.m?ts\n)?([\s\S]*?)^```$/gm)].map(
    ([, code = '']) => code,
  )
  expect(snippets).toHaveLength(count)
  for (const snippet of snippets)
    expect(CODE.filter((code) => code.includes(snippet)).length, snippet).toBeGreaterThan(0)
})

const PAGES = filesIn('.', '.md').filter((file) => !file.includes('/fixtures/'))

/** The anchors of a page's headings on GitHub. */
function anchorsOf(page: string): readonly string[] {
  const seen = new Map<string, number>()
  const headings = read(page)
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .matchAll(/^#+ +(.+)$/gm)
  return [...headings].map(([, heading = '']) => {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = text.replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '').replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

/** Relative links of a page, except in code. */
function linksOf(page: string): readonly string[] {
  return linksIn(read(page)).filter((target) => !isUrl(target))
}

function whyBroken(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURI(path))
  if (!existsSync(target)) return `${link}: there is no such file`
  const isFolder = statSync(target).isDirectory()
  const shown = isFolder ? join(target, 'README.md') : target
  // Only examples/README.md may link to folders without a page.
  if (isFolder && !existsSync(shown) && page !== 'examples/README.md') return `${link}: the folder has no page`
  if (anchor !== undefined && !anchorsOf(shown.slice(ROOT.length)).includes(anchor)) return `${link}: no such heading`
  return undefined
}

test.for(PAGES)('the links of %s lead to files and headings', (page) => {
  expect(
    linksOf(page)
      .map((link) => whyBroken(page, link))
      .filter((why) => why !== undefined),
  ).toEqual([])
})

test('links to other sites use https and have a host', () => {
  const urls = PAGES.flatMap((page) => linksIn(read(page)).filter(isUrl))
  expect(urls.length).toBeGreaterThan(3)
  // The home page of FatFs does not support https.
  const plain = ['http://elm-chan.org/fsw/ff/']
  const isGood = (url: string): boolean => URL.canParse(url) && /^https:\/\/[\w-]+(?:\.[\w-]+)+(?:\/|$)/.test(url)
  expect(urls.filter((url) => !isGood(url) && !plain.includes(url))).toEqual([])
})

test('finds links, headings and broken links', () => {
  expect(linksOf('README.md').length).toBeGreaterThan(15)
  expect(anchorsOf('docs/inside-the-guest.md')).toContain('tests-in-the-guest')
  expect(whyBroken('README.md', 'docs/none.md')).toContain('no such file')
  expect(whyBroken('README.md', 'docs/console.md#none')).toContain('no such heading')
  expect(whyBroken('README.md', 'scripts')).toContain('no page')
})
