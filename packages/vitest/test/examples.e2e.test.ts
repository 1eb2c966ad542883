import { execFile } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from './before-first-look.ts'
import { folderOf, readmeReport } from './example.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

const ROOT_README = fileURLToPath(new URL('../../../README.md', import.meta.url))

const MATCHERS_README = fileURLToPath(new URL('../../matchers/README.md', import.meta.url))

/** Examples whose tests fail. */
const READMES = [
  fileURLToPath(new URL('../README.md', import.meta.url)),
  ROOT_README,
  fileURLToPath(new URL('../../../docs/console.md', import.meta.url)),
]

/** Examples that pass, with the number of their tests. */
const PASSING = { console: 6, devices: 21, hello: 3, inside: 3, matchers: 4 }

describe('a run of the passing examples', () => {
  let project: InstalledProject
  let run: RunnerRun

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = installProject(folderOf('hello'))
    const config = readFileSync(folderOf('hello/vitest.config.ts'), 'utf8')
    for (const example of Object.keys(PASSING)) {
      expect(readFileSync(folderOf(`${example}/vitest.config.ts`), 'utf8')).toBe(config)
      cpSync(folderOf(example), project.root, { recursive: true, filter: (path) => basename(path) !== 'node_modules' })
    }
    const reporters = ['--reporter=default', '--reporter=json', '--outputFile.json=results.json']
    // Outside of CI, the boot log becomes a snapshot.
    run = await project.run(reporters, { [MARK]: project.root, CI: '' })
  }, 600_000)
  afterAll(() => project?.[Symbol.dispose]())

  test('succeeds and leaves no machine', () => {
    expect(run.exitCode, run.output).toBe(0)
    expect(machinesOf(project.root)).toEqual([])
  })

  test.each(Object.entries(PASSING))('includes each test of examples/%s', (example, count) => {
    const files = readdirSync(folderOf(example)).filter((name) => name.endsWith('.test.ts'))
    const { testResults } = JSON.parse(readFileSync(join(project.root, 'results.json'), 'utf8')) as JsonReport
    const results = testResults.filter(({ name }) => files.includes(basename(name)))
    expect(results).toHaveLength(files.length)
    const statuses = results.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status))
    expect(statuses).toHaveLength(count)
    expect(statuses).toContain('passed')
    // The title of a skipped test states the reason.
    expect(statuses.filter((status) => status !== 'passed' && status !== 'skipped')).toEqual([])
  })
})

/** The JSON report of Vitest. */
interface JsonReport {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

test('examples/matchers contains the code of the README of the matchers', () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(MATCHERS_README, 'utf8')) ?? []
  const example = readFileSync(folderOf('matchers/boot-log.test.ts'), 'utf8')
  expect(example.replace(/^ {2}/gm, '')).toContain(code.trim())
})

test.each([
  ['boots a machine and ends it', 'boot.ts', /^vm runs Linux \d\S+\nvm ended: guest-shutdown\n$/],
  ['starts machines from a template', 'template.ts', /^third begins with 1000\nsecond has 1000 lines\n$/],
])('examples/without-a-runner %s', async (_title, file, printed) => {
  using project = installProject(folderOf('without-a-runner'))
  const env = { ...process.env, [MARK]: project.root }
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: project.root, env })
  expect(stdout).toMatch(printed)
  expect(machinesOf(project.root)).toEqual([])
})

test('examples/failing fails with the report of the READMEs', async () => {
  using project = installProject(folderOf('failing'))
  const run = await project.run(['--reporter=default'])
  expect(run.exitCode).toBe(1)
  const report = readmeReport(run.output, project.root)
  await expect(report).toMatchFileSnapshot('reports/readme.txt')
  for (const readme of READMES) {
    const shown = /## What a failure looks like\n[^`]*```\n([\s\S]*?)```/.exec(readFileSync(readme, 'utf8'))?.[1]
    expect(shown, `copy test/reports/readme.txt to ${readme}`).toBe(report)
  }
})

test('the code of the README is part of an example', () => {
  const files = [
    'hello/boot.test.ts',
    'hello/vitest.config.ts',
    'inside/inside.test.ts',
    'matchers/machine.test.ts',
    'without-a-runner/boot.ts',
  ].map((file) => readFileSync(folderOf(file), 'utf8'))
  const snippets = [...readFileSync(ROOT_README, 'utf8').matchAll(/```ts\n(?:\/\/ \S+\.m?ts\n)?([\s\S]*?)```/g)]
  expect(snippets).toHaveLength(5)
  for (const [, code = ''] of snippets)
    expect(
      files.some((file) => file.includes(code.trim())),
      code,
    ).toBe(true)
})
