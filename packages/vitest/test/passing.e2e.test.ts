import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type InstalledProject, installProject } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

/** Runs the project; every test in it must pass and leave no machine. */
async function pass(project: InstalledProject, args: readonly string[], summary: string): Promise<void> {
  const run = await project.run(args, { [MARK]: project.root })
  expect(run.output).toContain(`Tests  ${summary}`)
  expect(run.exitCode).toBe(0)
  expect(machinesOf(project.root)).toEqual([])
}

test('machines serve tests, hooks, fixtures, retries and concurrent tests', async () => {
  using project = installProject('passing')
  await pass(project, ['machines'], '10 passed | 1 expected fail (11)')
  // An attempt that failed is worth a look, although the next one passed. Nothing else is left.
  const left = readdirSync(join(project.root, '.vitest', 'coldboot', 'machines.test.ts'))
  expect(left).toEqual(['attempts--a-retry-has-a-machine-of-its-own'])
})

test.for([
  ['in forks', ['--pool=forks']],
  ['in threads', ['--pool=threads']],
  ['in one worker for all files', ['--no-isolate', '--no-file-parallelism']],
  ['without the plugin', ['--config=plain.config.ts']],
] as const)('tests with machines pass %s, and leave nothing', async ([, args]) => {
  using project = installProject('passing')
  await pass(project, [...args, 'overridden', 'unconfigured'], '2 passed (2)')
  expect(existsSync(join(project.root, '.vitest', 'coldboot'))).toBe(false)
})
