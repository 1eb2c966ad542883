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

test('machines work in tests, hooks, fixtures, retries and concurrent tests', async () => {
  using project = installProject('passing')
  await pass(project, ['machines'], '10 passed | 1 expected fail (11)')
  // Only the files of a failed attempt are kept, although the retry passed.
  const left = readdirSync(join(project.root, '.vitest', 'coldboot', 'machines.test.ts'))
  expect(left).toEqual(['attempts--a-retry-has-its-own-machine'])
})

test('tests without the plugin pass, and leave nothing', async () => {
  using project = installProject('passing')
  await pass(project, ['--config=plain.config.ts', 'overridden', 'unconfigured'], '2 passed (2)')
  expect(existsSync(join(project.root, '.vitest', 'coldboot'))).toBe(false)
})

test('tests pass with warnings if limits of machines are exceeded or their files cannot be written', async () => {
  using project = installProject('passing')
  // Uses a separate queue, because other machines of this user would count.
  const TMPDIR = join(project.root, 'tmp')
  mkdirSync(TMPDIR)
  // A file instead of a folder also prevents root from writing.
  mkdirSync(join(project.root, '.vitest'))
  writeFileSync(join(project.root, '.vitest', 'coldboot'), '')
  const run = await project.run(['crowded', 'unconfigured'], { TMPDIR })
  expect(run.output).toContain('Tests  3 passed (3)')
  expect(run.output).toMatch(
    /"second" starts in excess of the limits \(`maxMachines` 1, .*\), because all 1 running machines belong to tests/,
  )
  expect(run.output).toMatch(/The files of a machine could not be written: E\w+/)
  expect(run.exitCode).toBe(0)
})
