import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from './before-first-look.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'
import { normalReport } from './normal-report.ts'

describe('a run of failing tests', () => {
  let project: InstalledProject
  let run: RunnerRun
  const mark = `failing-${process.pid}`

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = installProject('failing')
    run = await project.run(['--reporter=default', '--reporter=json', '--outputFile=report.json'], { [MARK]: mark })
  })
  afterAll(() => project[Symbol.dispose]())

  test('reports each failure with the console, the command line and the log of the machine', async () => {
    expect(run.exitCode).toBe(1)
    await expect(normalReport(run.output, project.root)).toMatchFileSnapshot('reports/failing.txt')
  })

  test('keeps the console of each machine that ran, and no files of other machines', () => {
    const folder = join(project.root, '.vitest', 'coldboot', 'failures.test.ts')
    const logs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('console.log'),
    )
    expect(logs.sort()).toMatchInlineSnapshot(`
      [
        "a-boot--that-takes-too-long/vm/console.log",
        "a-command-that-is-too-late/vm/console.log",
        "a-forgotten-await-of-a-command/vm/console.log",
        "a-forgotten-await-of-a-matcher/vm/console.log",
        "a-forgotten-await/vm/console.log",
        "a-guest-that-ends-early/vm/console.log",
        "a-matcher-that-looks-back/vm/console.log",
        "a-matcher-that-times-out/vm/console.log",
        "a-retry.retry-1/vm/console.log",
        "a-retry/vm/console.log",
        "a-test-that-times-out-elsewhere/vm/console.log",
        "a-test-that-times-out-in-a-matcher/vm/console.log",
        "a-test-that-times-out-while-it-waits/vm/console.log",
        "a-thrown-error/vm/console.log",
        "a-window-longer-than-the-test/vm/console.log",
        "an-assertion/vm/console.log",
        "an-expect-that-times-out/vm/console.log",
        "an-input-that-is-too-late/vm/console.log",
        "one-of-two-machines/client/console.log",
        "one-of-two-machines/server/console.log",
        "two-machines-of-one-name/server/console.log",
        "what-must-not-be-printed/vm/console.log",
      ]
    `)
    expect(readFileSync(join(folder, 'an-assertion', 'vm', 'console.log'), 'utf8')).toContain('one-1')
  })

  test('attaches the console to the test, and stores its path for reporters', () => {
    const attachments = join(project.root, '.vitest', 'attachments')
    const attached = readdirSync(attachments).map((name) => readFileSync(join(attachments, name), 'utf8'))
    expect(attached.some((text) => text.includes('one-1'))).toBe(true)
    const report: unknown = JSON.parse(readFileSync(join(project.root, 'report.json'), 'utf8'))
    const meta = expect.objectContaining({
      title: 'an assertion',
      meta: {
        coldboot: {
          machines: [
            {
              name: 'vm',
              directory: join(project.root, '.vitest/coldboot/failures.test.ts/an-assertion/vm'),
              log: join(project.root, '.vitest/coldboot/failures.test.ts/an-assertion/vm/console.log'),
              commandLine: expect.stringContaining('-name guest=vm'),
              files: [
                'console.txt',
                'console.cast',
                'console.log',
                'timeline.jsonl',
                'command-line.sh',
                'console.log.timing',
                'qmp.jsonl',
                'meta.json',
              ],
            },
          ],
        },
      },
    })
    expect(report).toMatchObject({ testResults: [{ assertionResults: expect.arrayContaining([meta]) }] })
  })

  test('leaves no machine', () => {
    expect(machinesOf(mark)).toEqual([])
  })

  test('removes the files of a test that passes in the next run', async () => {
    const mended = await project.run(['-t', 'a thrown error'], { COLDBOOT_TEST_MENDED: '1' })
    expect(mended.exitCode).toBe(0)
    const folder = join(project.root, '.vitest', 'coldboot', 'failures.test.ts')
    expect(existsSync(join(folder, 'a-thrown-error'))).toBe(false)
    expect(existsSync(join(folder, 'an-assertion'))).toBe(true)
  })
})
