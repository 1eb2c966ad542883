import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { InstalledProject } from '../../vitest/test/installed-project.ts'
import { MARK, machinesOf } from '../../vitest/test/machine-processes.ts'
import { jestProject } from './jest-project.ts'

/** Runs the project; every test in it must pass and leave neither machines nor files. */
async function expectPass(project: InstalledProject, args: readonly string[], summary: string): Promise<void> {
  const run = await project.run(args, { [MARK]: project.root })
  expect(run.output).toContain(summary)
  expect(run.exitCode).toBe(0)
  expect(machinesOf(project.root)).toEqual([])
  expect(existsSync(join(project.root, '.jest'))).toBe(false)
}

test('machines serve tests, hooks, several at a time and concurrent tests', async () => {
  using project = jestProject('passing')
  await expectPass(project, ['machines'], 'Tests:       12 passed, 12 total')
})
