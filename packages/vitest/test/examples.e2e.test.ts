import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { folderOf, readmeReport } from './example.ts'
import { installProject } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

const ROOT_README = fileURLToPath(new URL('../../../README.md', import.meta.url))

const MATCHERS_README = fileURLToPath(new URL('../../matchers/README.md', import.meta.url))

/** Examples whose tests fail. */
const READMES = [
  fileURLToPath(new URL('../README.md', import.meta.url)),
  ROOT_README,
  fileURLToPath(new URL('../../../docs/console.md', import.meta.url)),
]

test.each(['console', 'devices', 'hello', 'inside'])('examples/%s passes', async (example) => {
  using project = installProject(folderOf(example))
  const run = await project.run([], { [MARK]: project.root })
  expect(run.output).toMatch(/Tests {2}\d+ passed/)
  expect(run.exitCode).toBe(0)
  expect(machinesOf(project.root)).toEqual([])
})

test('examples/matchers passes, and contains the code of the README of the matchers', async () => {
  using project = installProject(folderOf('matchers'))
  const run = await project.run([], { [MARK]: project.root, CI: '' })
  expect(run.output).toMatch(/Tests {2}4 passed/)
  expect(run.exitCode).toBe(0)
  expect(machinesOf(project.root)).toEqual([])
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
