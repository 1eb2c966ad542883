import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InstalledProject, installProject } from './installed-project.ts'

const FILES = ['a', 'b', 'c', 'd'].map((name) => `:${name}.test.ts`)

let project: InstalledProject

beforeAll(() => {
  project = installProject('shards')
})
afterAll(() => project[Symbol.dispose]())

async function filesOfShard(index: number, count: number): Promise<readonly string[]> {
  const { exitCode, output } = await project.run([`--shard=${index}/${count}`, '--reporter=verbose', '--no-isolate'])
  expect(exitCode, output).toBe(0)
  return [...new Set(output.match(/\b[a-d]\.test\.ts/g))].toSorted()
}

test('shards are split by the committed durations', async () => {
  const durations = Object.fromEntries(FILES.map((file, index) => [file, index === 2 ? 9_000 : 3_000]))
  writeFileSync(join(project.root, 'test-durations.json'), JSON.stringify(durations))
  expect(await filesOfShard(1, 2)).toEqual(['c.test.ts'])
  expect(await filesOfShard(2, 2)).toEqual(['a.test.ts', 'b.test.ts', 'd.test.ts'])
})

test('a complete run writes the duration of each file', async () => {
  const { exitCode, output } = await project.run(['--no-isolate'])
  expect(exitCode, output).toBe(0)
  const written = readFileSync(join(project.root, '.vitest/coldboot/durations.json'), 'utf8')
  const durations = JSON.parse(written) as Readonly<Record<string, number>>
  expect(Object.keys(durations)).toEqual(FILES)
  expect(Object.values(durations).every((duration) => duration > 0)).toBe(true)
})
