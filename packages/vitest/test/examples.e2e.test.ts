import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readEnvironment } from '@coldboot/core/internal'
import { expect, test } from 'vitest'
import { installProject } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

const folderOf = (example: string): string => fileURLToPath(new URL(`../../../examples/${example}`, import.meta.url))

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

const noHeaders = hasCommands('make', 'gcc', 'apt-get') ? '' : ' (this host cannot build a kernel module for Debian)'

test.skipIf(noHeaders !== '')(`examples/kernel-module passes, and fails like in its README${noHeaders}`, async () => {
  using project = installProject(folderOf('kernel-module'))
  // Downloaded once per user.
  const env = { [MARK]: project.root, KERNELS: join(readEnvironment().cacheDirectory, 'kernels', 'example') }
  expect((await project.shell('./get-kernel.sh', env)).exitCode).toBe(0)
  const passing = await project.run([], env)
  expect(passing.output).toMatch(/Tests {2}3 passed/)
  const source = join(project.root, 'module', 'counter.c')
  writeFileSync(source, readFileSync(source, 'utf8').replace('atomic_add_return(1,', 'atomic_add_return(2,'))
  const failing = await project.run(['--reporter=default', '-t', 'own tests'], env)
  expect(failing.exitCode).toBe(1)
  const readme = readFileSync(folderOf('kernel-module/README.md'), 'utf8')
  const [, shown = ''] = /## What a failure looks like\n[^`]*```\n([\s\S]*?)\n```/.exec(readme) ?? []
  const report = readmeReport(failing.output, project.root).replaceAll(/Linux \d\S+/g, 'Linux 6.1.0-57-cloud-amd64')
  expect(shown).not.toBe('')
  expect(report).toContain(shown)
  expect(machinesOf(project.root)).toEqual([])
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

/** The part of a report that a README shows: one failure, without text that differs between runs. */
function readmeReport(output: string, root: string): string {
  const [, failure = ''] = /( FAIL [\s\S]*?\n)⎯{10}/.exec(output) ?? []
  return failure
    .replaceAll(`${root}/`, '')
    .replace(/last byte [\d.]+ m?s ago/, 'last byte 1.0 s ago')
    .replace(/[\d,]+ bytes since/, '222 bytes since')
    .replace(/^ *\[ *[\d.]+\] \.\.MP-BIOS bug.*\n/gm, '')
    .replace(/^ {2}speed: .*\n/m, '')
    .replace(/BusyBox v.*? built-in/, 'BusyBox v1.35.0 built-in')
    .replace(/qemu-system-\w+ .*(-name guest=vm) .*/, 'qemu-system-x86_64 … $1 -kernel … -initrd … -append …')
    .replace(/ +$/gm, '')
}

function hasCommands(...names: readonly string[]): boolean {
  try {
    execFileSync('sh', ['-c', 'for name; do command -v "$name" || exit 1; done', 'sh', ...names])
    return existsSync('/etc/dpkg/origins/debian')
  } catch {
    return false
  }
}
