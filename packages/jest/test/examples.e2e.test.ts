import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { configurationFile, testFile } from '../../cli/src/init/files.ts'
import { MARK, machinesOf } from '../../vitest/test/machine-processes.ts'
import { jestProject } from './jest-project.ts'
import { jestReport } from './jest-report.ts'

const folderOf = (example: string): string => fileURLToPath(new URL(`../../../examples/${example}`, import.meta.url))

const README = fileURLToPath(new URL('../README.md', import.meta.url))
const ROOT_README = fileURLToPath(new URL('../../../README.md', import.meta.url))

test('examples/jest passes', async () => {
  using project = jestProject(folderOf('jest'))
  const run = await project.run([], { [MARK]: project.root })
  expect(run.output).toMatch(/Tests: +9 passed, 9 total/)
  expect(run.exitCode).toBe(0)
  expect(machinesOf(project.root)).toEqual([])
})

test('examples/jest-failing fails with the report of the README', async () => {
  using project = jestProject(folderOf('jest-failing'))
  const run = await project.run()
  expect(run.exitCode).toBe(1)
  const report = readmeReport(jestReport(run.output, project.root))
  await expect(report).toMatchFileSnapshot('reports/readme.txt')
  const shown = /## What a failure looks like\n[^`]*```\n([\s\S]*?)```/.exec(readFileSync(README, 'utf8'))?.[1]
  expect(shown, 'copy test/reports/readme.txt to README.md').toBe(report)
})

test('the code of the READMEs is part of tested files', () => {
  const files = [
    folderOf('jest/jest.config.js'),
    folderOf('jest/boot.test.js'),
    folderOf('jest/machines.test.js'),
    fileURLToPath(new URL('projects/commonjs/machines.test.js', import.meta.url)),
    fileURLToPath(new URL('projects/commonjs/jest.config.js', import.meta.url)),
    fileURLToPath(new URL('projects/passing/jest.config.js', import.meta.url)),
  ].map((file) => readFileSync(file, 'utf8'))
  // The texts of `coldboot init` for a project of `npm init -y`, which `init.e2e.test.ts` runs.
  const project = { isModule: false, isTypeScript: false, names: new Set<string>(), dependencies: new Set<string>() }
  files.push(configurationFile('jest', project).text, testFile('jest', project).text)
  const pages = [README, ROOT_README].map((file) => readFileSync(file, 'utf8'))
  const snippets = pages.flatMap((page) => [...page.matchAll(/```js\n(?:\/\/ \S+\.js\n)?([\s\S]*?)```/g)])
  expect(snippets.length).toBeGreaterThan(5)
  for (const [, code = ''] of snippets) {
    const isTested = files.some((file) => file.includes(code.trim()))
    expect(isTested, code).toBe(true)
  }
})

/** The part of a report that the README shows: one failure, with fixed numbers. */
function readmeReport(report: string): string {
  const [, failure = ''] = / {2}● adds two numbers\n([\s\S]*?)\n\n(?:Consoles|Test Suites)/.exec(report) ?? []
  return `  ● adds two numbers\n${failure.replace(/^(?=.)/gm, '    ')}\n`
    .replace('within <time>', 'within 3.0 s')
    .replace('last byte <time> ago, <number> bytes', 'last byte 1.0 s ago, 222 bytes')
    .replace('<number> characters', '38 characters')
    .replace('<number> character differs', '1 character differs')
    .replace('v<version>', 'v1.35.0')
    .replace(/… (-name guest=vm) …/, '… $1 -kernel … -initrd … -append …')
}
