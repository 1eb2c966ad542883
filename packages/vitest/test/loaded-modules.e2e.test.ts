/** Checks which files an import of the published packages loads, because each worker of a run loads them again. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jestProject } from '../../jest/test/jest-project.ts'
import { type InstalledProject, installProject } from './installed-project.ts'

const COUNTER = fileURLToPath(new URL('count-modules.mjs', import.meta.url))

/** The files that an import loads from this project and its dependencies, except those of the test runners. */
interface Loaded {
  readonly modules: number
  readonly bytes: number
  readonly names: readonly string[]
  /** Modules of Node that are imported when the module is loaded. */
  readonly builtins: readonly string[]
}

let vitest: InstalledProject
let jest: InstalledProject

beforeAll(() => {
  vitest = installProject('passing')
  jest = jestProject('passing')
})
afterAll(() => {
  vitest[Symbol.dispose]()
  jest[Symbol.dispose]()
})

function loadedBy(project: InstalledProject, specifier: string): Loaded {
  const name = specifier.startsWith('/') ? join(project.root, specifier) : specifier
  const output = execFileSync(process.execPath, [COUNTER, project.root, name], { encoding: 'utf8' })
  return JSON.parse(output) as Loaded
}

test.each([
  ['@coldboot/core', { modules: 4, kilobytes: 200 }],
  ['@coldboot/matchers', { modules: 10, kilobytes: 300 }],
  ['@coldboot/vitest', { modules: 14, kilobytes: 320 }],
  ['/node_modules/@coldboot/vitest/bundle/setup.js', { modules: 8, kilobytes: 200 }],
  ['@coldboot/vitest/plugin', { modules: 18, kilobytes: 280 }],
])('%s loads few files for Vitest, and nothing that runs a machine', (specifier, limit) => {
  const { modules, bytes, names } = loadedBy(vitest, specifier)
  expect.soft(modules, names.join('\n')).toBeLessThanOrEqual(limit.modules)
  expect.soft(bytes / 1024).toBeLessThanOrEqual(limit.kilobytes)
  expect(names.filter((name) => /execa|start-ready|transcript|picture|write-page|proper-lockfile/.test(name))).toEqual(
    [],
  )
})

test('a start of a machine from a template loads nothing that reads or writes archives', () => {
  const bundle = '/node_modules/@coldboot/core/bundle'
  const chunk = readdirSync(join(vitest.root, bundle)).find((name) => /^start-ready-.*\.js$/.test(name))
  const { modules, bytes, names } = loadedBy(vitest, `${bundle}/${chunk}`)
  expect.soft(modules, names.join('\n')).toBeLessThanOrEqual(6)
  expect.soft(bytes / 1024).toBeLessThanOrEqual(640)
  expect(names.filter((name) => /tar-|archive|save-machine|load-machine|guest-trees|execa/.test(name))).toEqual([])
})

test.each(['@coldboot/core', '@coldboot/matchers', '@coldboot/guest', '@coldboot/vitest'])(
  '%s does not load the cryptography of Node, which takes long',
  (specifier) => {
    expect(loadedBy(vitest, specifier).builtins).not.toContain('node:crypto')
  },
)

test('the Jest environment loads few files, and no library for processes', () => {
  const { modules, bytes, names } = loadedBy(jest, '@coldboot/jest/environment')
  expect.soft(modules, names.join('\n')).toBeLessThanOrEqual(20)
  expect.soft(bytes / 1024).toBeLessThanOrEqual(450)
  expect(names.filter((name) => /execa|start-ready|transcript|picture|write-page|proper-lockfile/.test(name))).toEqual(
    [],
  )
})
