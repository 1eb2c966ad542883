import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { InstalledProject } from '../../vitest/test/installed-project.ts'
import { MARK, machinesOf } from '../../vitest/test/machine-processes.ts'
import { jestProject } from './jest-project.ts'

/** Runs the project. Every test must pass and leave neither machines nor files. */
async function expectPass(project: InstalledProject, args: readonly string[], summary: string): Promise<void> {
  const run = await project.run(args, { [MARK]: project.root })
  expect(run.output).toContain(`Tests:       ${summary}`)
  expect(run.exitCode).toBe(0)
  expect(machinesOf(project.root)).toEqual([])
  expect(existsSync(join(project.root, '.jest'))).toBe(false)
}

test('machines work in tests, hooks, concurrent tests, and several at a time', async () => {
  using project = jestProject('passing')
  await expectPass(project, ['machines'], '13 passed, 13 total')
})

test.for([
  ['in processes', ['--maxWorkers=2']],
  ['in threads', ['--maxWorkers=2', '--workerThreads']],
  ['in one process', ['--runInBand']],
  ["by Jest's other registry of modules", ['--resetModules', '--runInBand']],
] as const)('machines work in CommonJS %s, without a flag of Node', async ([, args]) => {
  using project = jestProject('commonjs', false)
  await expectPass(project, args, '4 passed, 4 total')
})

test('machines work in TypeScript, with types for the global and the imported `expect`', async () => {
  using project = jestProject('typescript', false)
  const checked = promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: project.root })
  await expectPass(project, [], '3 passed, 3 total')
  expect((await checked).stdout).toBe('')
})

test('boot logs and screenshots are snapshots of Jest', async () => {
  using project = jestProject('passing')
  const args = ['snapshots', '--ci=false']
  await expectPass(project, args, '3 passed, 3 total\nSnapshots:   3 written, 3 total')
  const pictures = readdirSync(join(project.root, '__screenshots__', 'snapshots.test.js'))
  expect(pictures.sort()).toEqual(['another-looks-as-ever.png', 'one-screen-looks-as-ever.png'])
  await expectPass(project, args, '3 passed, 3 total\nSnapshots:   3 passed, 3 total')
})
