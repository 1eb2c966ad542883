import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type InstalledProject, installProject } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

/** Runs the project. Every test must pass and leave no machine. */
async function pass(project: InstalledProject, args: readonly string[], summary: string): Promise<void> {
  const run = await project.run(args, { [MARK]: project.root })
  expect(run.output).toContain(`Tests  ${summary}`)
  expect(run.exitCode).toBe(0)
  expect(machinesOf(project.root)).toEqual([])
}

test('machines serve tests, hooks, fixtures, retries and concurrent tests', async () => {
  using project = installProject('passing')
  await pass(project, ['machines'], '10 passed | 1 expected fail (11)')
  // Only the files of a failed attempt are kept, although the retry passed.
  const left = readdirSync(join(project.root, '.vitest', 'coldboot', 'machines.test.ts'))
  expect(left).toEqual(['attempts--a-retry-has-its-own-machine'])
})

test('a test may exceed the limits of machines, with a warning', async () => {
  using project = installProject('passing')
  // Uses a separate queue, because other machines of this user would count.
  const TMPDIR = join(project.root, 'tmp')
  mkdirSync(TMPDIR)
  const run = await project.run(['crowded'], { TMPDIR })
  expect(run.output).toContain('Tests  2 passed (2)')
  expect(run.output).toMatch(
    /"second" starts in excess of the limits \(`maxMachines` 1, .*\), because all 1 running machines belong to tests/,
  )
})

test.for([
  ['in forks', ['--pool=forks']],
  ['in threads', ['--pool=threads']],
  ['in threads with a realm for each file', ['--pool=vmThreads']],
  ['in one worker for all files', ['--no-isolate', '--no-file-parallelism']],
  ['without the plugin', ['--config=plain.config.ts']],
] as const)('tests with machines pass %s, and leave nothing', async ([, args]) => {
  using project = installProject('passing')
  await pass(project, [...args, 'overridden', 'unconfigured'], '2 passed (2)')
  expect(existsSync(join(project.root, '.vitest', 'coldboot'))).toBe(false)
})

test('tests pass where the files of their machines cannot be written, with a warning', async () => {
  using project = installProject('passing')
  // Also for root, who may write everywhere.
  mkdirSync(join(project.root, '.vitest'))
  writeFileSync(join(project.root, '.vitest', 'coldboot'), '')
  const run = await project.run(['unconfigured'])
  expect(run.output).toContain('Tests  1 passed (1)')
  expect(run.output).toMatch(/The files of a machine could not be written: E\w+/)
  expect(run.exitCode).toBe(0)
})
