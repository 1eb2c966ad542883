/** Runs lint on files that each break one rule, such as an import border, and on files that break none. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const ENGLISH = 'coldboot(plain-english)'

interface Case {
  readonly title: string
  readonly file: string
  readonly code: string
}

const crossings: readonly (Case & { readonly rule: string })[] = [
  // Between packages.
  bad('core imports the guest', 'core/src/a.ts', `import '@coldboot/guest'`),
  bad('core imports matchers', 'core/src/b.ts', `export * from '@coldboot/matchers'`),
  bad("core imports a runner's package", 'core/src/c.ts', `await import('@coldboot/vitest/plugin')`),
  bad('mkfatfs-wasm imports core', 'mkfatfs-wasm/src/a.ts', `export type { VM } from '@coldboot/core'`),
  bad('guest imports matchers', 'guest/src/a.ts', `import '@coldboot/matchers'`),
  bad('guest imports mkfatfs-wasm', 'guest/src/b.ts', `import 'mkfatfs-wasm'`),
  bad('matchers import the guest', 'matchers/src/a.ts', `import '@coldboot/guest'`),
  bad("report imports a runner's package", 'report/src/a.ts', `import '@coldboot/vitest'`),
  bad("runner imports a runner's package", 'runner/src/a.ts', `import '@coldboot/jest'`),
  bad("matchers import a runner's package", 'matchers/src/b.ts', `import '@coldboot/vitest'`),
  bad('vitest imports jest', 'vitest/src/a.ts', `import '@coldboot/jest'`),
  bad('jest imports vitest', 'jest/src/a.ts', `import '@coldboot/vitest'`),
  bad('cli imports vitest', 'cli/src/a.ts', `import '@coldboot/vitest'`),
  bad('an unknown package imports core', 'newcomer/src/a.ts', `import '@coldboot/core'`),
  bad('a package imports a file of another by path', 'guest/src/c.ts', `import '../../core/src/errors.ts'`),
  bad('a type is imported across a border', 'core/src/d.ts', `export type T = import('@coldboot/guest').LinuxGuest`),
  // Between the folders of core.
  bad('errors import anything', 'core/src/errors.ts', `import './options/architecture.ts'`),
  bad('the console imports a device', 'core/src/console/a.ts', `import '../devices/device.ts'`),
  bad('the console imports qemu', 'core/src/console/b.ts', `import type {} from '../qemu/qmp.ts'`),
  bad('the console imports the machine', 'core/src/console/c.ts', `import type {} from '../machine/vm.ts'`),
  bad('a device imports the options', 'core/src/devices/a.ts', `import '../spec/machine-options.ts'`),
  bad('the network imports a device', 'core/src/network/a.ts', `import '../devices/device.ts'`),
  bad('a device imports qemu', 'core/src/devices/b.ts', `import '../qemu/command-line.ts'`),
  bad('qemu imports a template', 'core/src/qemu/a.ts', `import '../template/template.ts'`),
  bad('qemu imports the folder of the guest', 'core/src/qemu/b.ts', `import '../guest/shell.ts'`),
  bad('qemu imports the machine', 'core/src/qemu/c.ts', `import '../machine/vm.ts'`),
  bad('the store of templates imports the machine', 'core/src/template/store/a.ts', `import '../../machine/vm.ts'`),
  bad('the folder of the guest imports a template', 'core/src/guest/a.ts', `import '../template/template.ts'`),
  bad('a file of the host imports the limit of machines', 'core/src/host/files/a.ts', `import '../machines/a.ts'`),
  bad('the environment imports a device', 'core/src/host/environment.ts', `import '../devices/device.ts'`),
  bad('the machine imports a template', 'core/src/machine/vm.ts', `import '../template/template.ts'`),
  bad('the options import the machine', 'core/src/spec/machine-options.ts', `import '../machine/vm.ts'`),
  bad('an incident imports a wait', 'core/src/console/incident/a.ts', `import '../expect/wait.ts'`),
  bad('text imports a match', 'core/src/console/text/a.ts', `import '../match/pattern.ts'`),
  bad('the guest imports qemu', 'core/src/guest/b.ts', `import '../qemu/qmp.ts'`),
  bad('a file is outside of all folders', 'core/src/attic.ts', `import './errors.ts'`),
  bad('a file imports an entry', 'core/src/console/d.ts', `import '../index.ts'`),
  bad('an unknown folder imports errors', 'core/src/attic/a.ts', `import '../errors.ts'`),
  // Allowed for one file only.
  bad('the console starts a process', 'core/src/console/e.ts', `import 'node:child_process'`),
  bad('a device starts a process', 'core/src/devices/c.ts', `import 'execa'`),
  bad('another file of qemu starts a process', 'core/src/qemu/d.ts', `import 'execa'`),
  bad('the machine starts a process', 'core/src/machine/running-machine.ts', `import 'child_process'`),
  bad('an index has code', 'guest/src/index.ts', `export const a = 1`, 'coldboot(only-exports)'),
  bad('an index has an import', 'vitest/src/index.ts', `import './a.ts'`, 'coldboot(only-exports)'),
  bad('a variable is read', 'core/src/e.ts', `export const a = process.env.COLDBOOT_QEMU`, 'node(no-process-env)'),
  bad('a variable is read by index', 'guest/src/d.ts', `export const a = process.env['X']`, 'node(no-process-env)'),
  bad('variables are destructured', 'cli/src/b.ts', `export const { A } = process.env`, 'node(no-process-env)'),
  bad('env is imported', 'vitest/src/b.ts', `export { env } from 'node:process'`, 'eslint(no-restricted-imports)'),
  // Other lint rules.
  bad('a promise floats', 'core/src/f.ts', `Promise.resolve()`, 'typescript(no-floating-promises)'),
  bad('files import each other', 'matchers/src/c.ts', `export * from './d.ts'`, 'import(no-cycle)'),
  bad('files import each other', 'matchers/src/d.ts', `export * from './c.ts'`, 'import(no-cycle)'),
  bad(
    'a promise is a condition',
    'core/src/g.ts',
    `if (Promise.resolve()) throw new Error()`,
    'typescript(no-misused-promises)',
  ),
  bad('a type is any', 'core/src/h.ts', `export const a: any = 1`, 'typescript(no-explicit-any)'),
  bad(
    'the compiler is silenced',
    'core/src/i.ts',
    `// @ts-ignore\nexport const a: number = ''`,
    'typescript(ban-ts-comment)',
  ),
  bad('a folder has too many files', 'core/src/spec/file-1.ts', 'export {}', 'coldboot(folder-size)'),
  bad('the folder of core has too many files', 'core/src/a.ts', `import '@coldboot/guest'`, 'coldboot(folder-size)'),
  bad('a file is too long', 'core/src/j.ts', 'export {}\n'.repeat(301), 'eslint(max-lines)'),
  bad('a title says should', 'core/src/a.test.ts', testNamed('should work'), 'vitest(valid-title)'),
  bad('a test runs alone', 'core/src/b.test.ts', testNamed('works', '.only'), 'vitest(no-focused-tests)'),
  bad('a test is skipped', 'core/src/c.test.ts', testNamed('works', '.skip'), 'vitest(no-disabled-tests)'),
  bad('a comment is not plain English', 'runner/src/b.ts', '// Told\n// of it.\nexport {}', ENGLISH),
  bad(
    'a test that shares its worker replaces a module',
    'core/src/y.test.ts',
    `import { vi } from 'vitest'\nvi.mock('node:fs')`,
    'eslint(no-restricted-properties)',
  ),
  bad('a docstring is not plain English', 'runner/src/c.ts', '/**\n * Told\n * of it.\n */\nexport {}', ENGLISH),
  bad('a string is not plain English', 'runner/src/d.ts', `export const a = 'nobody'`, ENGLISH),
  bad('a template is not plain English', 'runner/src/e.ts', 'export const a = `nobody ${1}`', ENGLISH),
  bad('a test title is not plain English', 'runner/src/a.test.ts', testNamed('is told of it'), ENGLISH),
  bad('the text of a page is not plain English', 'runner/src/f.tsx', 'export const a = <p>nobody</p>', ENGLISH),
]

const allowed: readonly Case[] = [
  good('core imports mkfatfs-wasm', 'core/src/devices/z.ts', `import 'mkfatfs-wasm'`),
  good(
    'vitest imports matchers, runner and core',
    'vitest/src/z.ts',
    `import '@coldboot/matchers'\nimport '@coldboot/runner'\nimport '@coldboot/core'`,
  ),
  good(
    'the console imports errors and its own folder',
    'core/src/console/z.ts',
    `import '../errors.ts'\nimport './y.ts'`,
  ),
  good(
    'qemu imports devices and spec',
    'core/src/qemu/z.ts',
    `import '../devices/z.ts'\nimport '../spec/machine-spec.ts'`,
  ),
  good(
    'a template imports qemu, the guest and the machine',
    'core/src/template/z.ts',
    `import '../qemu/z.ts'\nimport '../guest/z.ts'\nimport '../machine/z.ts'`,
  ),
  good('a folder has the largest allowed number of files', 'core/src/events/file-1.ts', 'export {}'),
  good('the folder of devices has many files', 'core/src/devices/file-1.ts', 'export {}'),
  good('one file starts processes', 'core/src/qemu/process.ts', `import 'execa'`),
  good('another package starts processes', 'guest/src/z.ts', `import 'execa'`),
  good('PATH is read', 'core/src/z.ts', `export const a = process.env['PATH']`),
  good('an index exports', 'matchers/src/index.ts', `export { a } from './z.ts'\nexport type * from './y.ts'`),
  good('a test imports anything', 'core/src/z.test.ts', `import '@coldboot/guest'\nimport 'execa'`),
  good(
    'an isolated test replaces a module',
    'core/src/y.isolated.test.ts',
    `import { vi } from 'vitest'\nvi.mock('node:fs')`,
  ),
  good('a curly quote is written as an escape', 'runner/src/z.ts', String.raw`export const a = '\u2019'`),
]

/** Files that only fill their folder. */
const fillers = [
  ...numbered('core/src/spec', 15),
  ...numbered('core/src/events', 14),
  ...numbered('core/src/events', 3, '.vm.test.ts'),
  ...numbered('core/src/devices', 20),
]

let folder: string
let found: Map<string, string[]>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coldboot-lint-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const name of ['.oxlintrc.json', 'scripts/lint'])
    await cp(join(root, name), join(folder, name), { recursive: true })
  const compilerOptions = { strict: true, module: 'nodenext', target: 'es2024', types: ['node'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  for (const { file, code } of [...fillers, ...crossings, ...allowed]) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), `${code}\n`)
  }
  found = await lint()
}, 120_000)

afterAll(() => rm(folder, { recursive: true }))

test.for(crossings)('lint reports that $title ($file)', ({ file, rule }) => {
  expect(found.get(file)).toContain(rule)
})

test.for(allowed)('lint allows that $title ($file)', ({ file }) => {
  expect(found.get(file)).toBeUndefined()
})

function bad(title: string, path: string, code: string, rule = 'coldboot(borders)') {
  return { title, file: `packages/${path}`, code, rule }
}

function good(title: string, path: string, code: string) {
  return { title, file: `packages/${path}`, code }
}

function numbered(path: string, count: number, extension = '.ts') {
  return Array.from({ length: count }, (_, index) => good('', `${path}/file-${index + 1}${extension}`, 'export {}'))
}

function testNamed(title: string, modifier = '') {
  return `import { expect, test } from 'vitest'\ntest${modifier}('${title}', () => expect(1).toBe(1))`
}

/** File → rules broken in it. */
async function lint(): Promise<Map<string, string[]>> {
  const command = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint')
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [command, '-f', 'json', 'packages'], { cwd: folder }, (_, stdout) => resolve(stdout))
  })
  const { diagnostics } = JSON.parse(output) as { diagnostics: { filename: string; code: string }[] }
  const rules = new Map<string, string[]>()
  for (const { filename, code } of diagnostics) rules.set(filename, [...(rules.get(filename) ?? []), code])
  return rules
}
