import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { benchOptions } from '../bench/options.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const FILES = readdirSync(path('../bench')).filter((name) => name.endsWith('.bench.ts'))
const bench = (...args: readonly string[]): string =>
  execFileSync(process.execPath, [path('bench.mjs'), ...args], { encoding: 'utf8', stdio: 'pipe' })

test('npm run bench runs each file in bench/', () => {
  expect(bench('--list').trimEnd().split('\n')).toEqual(FILES.map((name) => name.replace('.bench.ts', '')))
  expect(bench('--list', '--only', 'console')).toBe('console\n')
  expect(() => bench('--only', 'none')).toThrow('There is no benchmark none')
})

test.for(FILES)('bench/%s accepts --rounds, and records its ratios', (name) => {
  const source = readFileSync(path(`../bench/${name}`), 'utf8')
  expect(source).toMatch(/benchOptions\(\{ rounds: \d+/)
  expect(source).toMatch(/sideBySide|recordComparison/)
})

test('the options of a benchmark have the types of their defaults', () => {
  expect(benchOptions({ rounds: 9, only: '' })).toEqual({ rounds: 9, only: '' })
})
