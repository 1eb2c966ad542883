import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from '../../vitest/test/before-first-look.ts'
import type { InstalledProject, RunnerRun } from '../../vitest/test/installed-project.ts'
import { MARK, machinesOf } from '../../vitest/test/machine-processes.ts'
import { jestProject } from './jest-project.ts'
import { jestReport } from './jest-report.ts'

describe('a run of failing tests', () => {
  let project: InstalledProject
  let run: RunnerRun
  const mark = `jest-failing-${process.pid}`

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = jestProject('failing')
    run = await project.run(['failures'], { [MARK]: mark })
  })
  afterAll(() => project[Symbol.dispose]())

  test('reports each failure with the console, the command line and the log of the machine', async () => {
    expect(run.exitCode).toBe(1)
    await expect(jestReport(run.output, project.root)).toMatchFileSnapshot('reports/failing.txt')
  })

  test('keeps the console of each machine that ran, and no files of other machines', () => {
    const folder = join(project.root, '.jest', 'coldboot', 'failures.test.js')
    const logs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('console.log'),
    )
    expect(logs.sort()).toMatchInlineSnapshot(`
      [
        "a-boot--that-takes-too-long/vm/console.log",
        "a-hook--that-times-out/vm/console.log",
        "a-machine--and-a-forgotten-await-of-a-matcher/vm/console.log",
        "a-machine--and-a-forgotten-await/vm/console.log",
        "a-machine--and-a-matcher-that-looks-back/vm/console.log",
        "a-machine--and-a-matcher-that-times-out/vm/console.log",
        "a-machine--and-a-test-that-times-out-elsewhere/vm/console.log",
        "a-machine--and-a-test-that-times-out-in-a-matcher/vm/console.log",
        "a-machine--and-a-test-that-times-out-while-it-waits/vm/console.log",
        "a-machine--and-a-thrown-error/vm/console.log",
        "a-machine--and-a-window-longer-than-the-test/vm/console.log",
        "a-machine--and-an-assertion/vm/console.log",
        "a-machine--and-an-expect-that-times-out/vm/console.log",
        "a-machine--and-something-that-is-none/vm/console.log",
        "a-machine--and-something-thrown-that-is-no-error/vm/console.log",
        "a-machine--and-too-few-assertions/vm/console.log",
        "a-machine--that-ends-early/vm/console.log",
        "a-machine--that-prints-what-must-not-be-printed/vm/console.log",
        "concurrent-tests--that-fail/vm/console.log",
        "concurrent-tests--that-time-out/vm/console.log",
        "two-machines--of-which-one-says-nothing/client/console.log",
        "two-machines--of-which-one-says-nothing/server/console.log",
        "two-machines-of-one-name/server/console.log",
      ]
    `)
    expect(readFileSync(join(folder, 'a-machine--and-an-assertion', 'vm', 'console.log'), 'utf8')).toContain('one-1')
  })

  test('leaves no machine', () => {
    expect(machinesOf(mark)).toEqual([])
  })

  test('removes the files of a test that passes in the next run', async () => {
    const mended = await project.run(['failures', '-t', 'and a thrown error'], { COLDBOOT_TEST_MENDED: '1' })
    expect(mended.exitCode).toBe(0)
    const folder = join(project.root, '.jest', 'coldboot', 'failures.test.js')
    expect(existsSync(join(folder, 'a-machine--and-a-thrown-error'))).toBe(false)
    expect(existsSync(join(folder, 'a-machine--and-an-assertion'))).toBe(true)
  })
})

test('each attempt of a retried test has its own machine and folder', async () => {
  using project = jestProject('failing')
  const run = await project.run(['retries'])
  expect(run.exitCode).toBe(1)
  expect(run.output).toContain('Tests:       1 failed, 1 passed, 2 total')
  const folder = join(project.root, '.jest', 'coldboot', 'retries.test.js')
  // The files of the failed attempt are kept, although the retry passed.
  expect(readdirSync(folder).sort()).toEqual(['fails-at-first', 'fails-twice', 'fails-twice.retry-1'])
  const logs = ['fails-twice', 'fails-twice.retry-1'].map((name) => join(folder, name, 'vm', 'console.log'))
  expect(logs.map((path) => /attempt-\d/.exec(readFileSync(path, 'utf8'))?.[0])).toEqual(['attempt-1', 'attempt-2'])
})

test('a test file outside of the environment fails with advice', async () => {
  using project = jestProject('failing')
  const run = await project.run(['--env=node', 'retries'])
  expect(run.exitCode).toBe(1)
  expect(run.output).toContain('This test does not run in the environment of @coldboot/jest')
  expect(run.output).toContain('Set `preset: "@coldboot/jest"` in the Jest configuration')
})
