/** Checks the exports of `@coldboot/core`: pages or examples show them, or they are types in signatures. */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const PAGES = ['README.md', 'docs/**/*.{md,ts}', 'examples/**/*.{md,ts,js,cjs,mjs}', 'packages/*/README.md']
const report = readFileSync(`${root}/api/core.api.md`, 'utf8')

/** Exported name → its declaration in the report. */
const declarations = new Map(
  [...report.matchAll(/^export (?:declare )?(?:abstract )?(\w+) (\w+)[^]*?(?=^export |^\/\/ @|^```)/gm)].map(
    ([text, kind = '', name = '']) => [name, { kind, text }] as const,
  ),
)

const pages = globSync(PAGES, { cwd: root, exclude: (path) => path.includes('node_modules') })
  .map((file) => readFileSync(`${root}/${file}`, 'utf8'))
  .join('\n')

test('the report of @coldboot/core contains declarations', () => {
  expect(declarations.size).toBeGreaterThan(100)
  expect(declarations.get('virtioRandom')?.kind).toBe('function')
})

test('every exported function and constant is shown by a page or an example', () => {
  const values = [...declarations].filter(([, { kind }]) => kind === 'function' || kind === 'const')
  expect(values.map(([name]) => name).filter((name) => !mentions(pages, name))).toEqual([])
})

test('every other export is shown by a page, or is part of a signature', () => {
  const unused = [...declarations].filter(
    ([name, { text }]) => !mentions(pages, name) && !mentions(report.replace(text, ''), name),
  )
  expect(unused.map(([name]) => name)).toEqual([])
})

function mentions(text: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(text)
}
