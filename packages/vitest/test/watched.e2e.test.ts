import { readFileSync, rmSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { installProject } from './installed-project.ts'
import { headings, PAGE } from './page-text.ts'
import { runInTerminal } from './terminal-run.ts'

test('watch mode keeps the template of the first run, and failures of other files on the page', async () => {
  using project = installProject('watched')
  const run = runInTerminal(project.root, ['watch'], { COLDBOOT_TEST_KEY: project.root })
  await run.shows('Watching for file changes')
  const before = headings(readFileSync(join(project.root, PAGE), 'utf8'))
  const now = new Date()
  utimesSync(join(project.root, 'watched.test.ts'), now, now)
  await run.shows('RERUN')
  await run.shows('Watching for file changes')
  run.type('q')
  const { screen } = await run.ended
  const templates = [...screen.matchAll(/template (\S+) (\d+ [\d.]+)\./g)]
  rmSync(dirname(templates[0]?.[1] ?? project.root), { recursive: true, force: true })
  expect(templates).toHaveLength(2)
  expect(templates[1]?.[0]).toBe(templates[0]?.[0])
  expect(before.toSorted()).toEqual(['fails without a machine', 'two machines › do not agree'])
  expect(headings(readFileSync(join(project.root, PAGE), 'utf8'))).toEqual(before)
})
