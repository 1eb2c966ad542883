import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VM } from '@coldboot/core'
import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from './before-first-look.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'

const SECRET = 'hunter2&"$x'
const FILES = ['console.txt', 'console.cast', 'console.log', 'timeline.jsonl', 'command-line.sh', 'console.log.timing']

let project: InstalledProject
let run: RunnerRun
beforeFirstLook(async () => {
  project?.[Symbol.dispose]()
  project = installProject('artifacts')
  run = await project.run(['--reporter=default', '--reporter=json', '--outputFile=report.json'], {
    COLDBOOT_TEST_SECRET: SECRET,
  })
})
afterAll(() => project[Symbol.dispose]())

/** The folder of the machine of a test. */
const folderOf = (file: string, test: string): string =>
  join(project.root, '.vitest', 'coldboot', `${file}.test.ts`, test, 'vm')

const read = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8')

const metaOf = (folder: string): Record<string, unknown> =>
  JSON.parse(read(folder, 'meta.json')) as Record<string, unknown>

/** Every file below a folder: path → bytes. */
function filesBelow(folder: string): readonly (readonly [string, Buffer])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => [path, readFileSync(path)] as const)
}

describe('a saved machine', () => {
  test('resumes after the failure with the command of the error', async () => {
    const folder = folderOf('kept', 'a-machine--as-the-failure-left-it')
    expect(metaOf(folder)['files']).toContain('machine.coldboot')
    expect(run.output).toContain(
      'npx coldboot resume .vitest/coldboot/kept.test.ts/a-machine--as-the-failure-left-it/vm/machine.coldboot',
    )
    await using vm = await VM.resume(join(folder, 'machine.coldboot'), { timeout: 60_000 })
    expect((await vm.run('cat /tmp/state')).stdout).toBe('left\n')
  })

  test('is not kept for a passing test or above the size limit', () => {
    expect(existsSync(folderOf('kept', 'a-machine--of-a-test-that-passes'))).toBe(false)
    const meta = metaOf(folderOf('kept', 'a-machine-that-is-too-large--has-no-room'))
    expect(meta['files']).not.toContain('machine.coldboot')
    expect(meta['cut']).toMatchObject({ 'machine.coldboot': expect.stringContaining('100000 bytes') as string })
  })
})

test('keeps a film of a display', () => {
  const folder = folderOf('kept', 'a-film--of-a-firmware')
  const frames = read(folder, 'film.jsonl').trim().split('\n')
  expect(frames.length).toBeGreaterThan(0)
  const { file, time } = JSON.parse(frames[0] ?? '') as { file: string; time: number }
  expect(time).toBeGreaterThan(0)
  expect(readFileSync(join(folder, 'film', file)).toString('latin1', 1, 4)).toBe('PNG')
  const page = readFileSync(join(project.root, '.vitest', 'coldboot', 'index.html'), 'utf8')
  expect(page).toMatch(/<figure class="screen film">.*? data-display="1"/s)
})

describe('a test that fails', () => {
  test('writes a screenshot and a network capture', () => {
    const folder = folderOf('kept', 'everything--a-screen-and-a-network')
    expect(metaOf(folder)['files']).toEqual([
      'console.txt',
      'screen.png',
      ...FILES.slice(1),
      'network.pcapng',
      'qmp.jsonl',
      'meta.json',
    ])
    const png = readFileSync(join(folder, 'screen.png'))
    expect(png.subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))
    const capture = readFileSync(join(folder, 'network.pcapng'))
    expect(capture.readUInt32LE(0)).toBe(0x0a0d0d0a)
    // A broadcast from the network card of the machine.
    expect(capture.includes(Buffer.from('ffffffffffff525463', 'hex'))).toBe(true)
  })

  test('describes the machine, its end and the errors in meta.json', () => {
    expect(metaOf(folderOf('kept', 'everything--a-screen-and-a-network'))).toMatchObject({
      name: 'vm',
      memory: '256M',
      cpus: 1,
      start: 'template',
      exit: 'the machine was closed (QEMU exit code 0)',
      exitReason: 'host-qmp-quit',
      test: { file: 'kept.test.ts', names: ['everything', 'a screen and a network'], retry: 0, repeat: 0 },
      errors: [expect.stringContaining("expected 'running' to be 'exited'")],
    })
  })

  test('writes a script that starts the same machine', () => {
    const script = join(folderOf('kept', 'everything--a-screen-and-a-network'), 'command-line.sh')
    expect(statSync(script).mode & 0o777).toBe(0o700)
    // Checks only the syntax. The tests of the command line run QEMU.
    execFileSync('sh', ['-n', script])
    expect(readFileSync(script, 'utf8')).toMatch(/^exec \S*qemu-system-\w+ .*-name guest=vm /m)
  })

  test('keeps the start and the end of a long console, with a note', () => {
    const folder = folderOf('kept', 'a-little--a-long-console')
    for (const name of FILES) expect(statSync(join(folder, name)).size).toBeLessThan(9000)
    for (const name of ['console.log', 'console.txt', 'console.cast']) {
      expect(read(folder, name)).toContain('BusyBox')
      expect(read(folder, name)).toContain('the-1-end')
      expect(read(folder, name)).toContain('left out here')
    }
    expect(metaOf(folder)['cut']).toEqual({ 'console.log': expect.stringMatching(/^\d+ bytes are left out$/) })
  })
})

describe('secrets', () => {
  test('are removed from all files and reports of a run', () => {
    const [name = ''] = readdirSync(join(project.root, '.vitest', 'coldboot', 'redacted.test.ts'))
    const folder = folderOf('redacted', name)
    for (const secret of [SECRET, JSON.stringify(SECRET).slice(1, -1), 'token-42x']) {
      const holders = [
        ...filesBelow(join(project.root, '.vitest')),
        ['report.json', readFileSync(join(project.root, 'report.json'))] as const,
      ]
      expect(holders.filter(([, bytes]) => bytes.includes(secret)).map(([path]) => path)).toEqual([])
      expect(run.output).not.toContain(secret)
    }
    expect(run.output).toContain('not [redacted]')
    for (const name of FILES.slice(0, 4)) expect(read(folder, name)).toContain('[redacted]')
    const why = 'left out: it cannot be searched for secrets'
    expect(metaOf(folder)).toMatchObject({ cut: { 'screen.png': why, 'network.pcapng': why } })
  })
})

test('`always` keeps and attaches the files of a passing test', () => {
  const folder = folderOf('kept', 'always--a-test-that-passes')
  expect(metaOf(folder)['files']).toEqual([...FILES, 'qmp.jsonl', 'meta.json'])
  expect(metaOf(folder)).not.toHaveProperty('errors')
  const report: unknown = JSON.parse(readFileSync(join(project.root, 'report.json'), 'utf8'))
  const meta = { coldboot: { machines: [expect.objectContaining({ directory: folder })] } }
  const passed = expect.objectContaining({ title: 'a test that passes', status: 'passed', meta })
  expect(report).toMatchObject({
    testResults: expect.arrayContaining([
      expect.objectContaining({ assertionResults: expect.arrayContaining([passed]) }),
    ]),
  })
})

test('`never` keeps no files, but the report still contains the console', () => {
  expect(existsSync(join(project.root, '.vitest', 'coldboot', 'kept.test.ts', 'never--a-test-that-fails'))).toBe(false)
  expect(run.output).toMatch(/^ {2}failing-1$/m)
  // The report does not name a removed log.
  const [, report] = /FAIL\s+kept\.test\.ts > never > ([\s\S]*?)⎯{9}/.exec(run.output) ?? []
  expect(report).toContain('Command line:')
  expect(report).not.toContain('Log:')
})

test('the error for an unknown option names it', () => {
  expect(run.output).toContain('artifacts: `retain` must be one of on-failure, always, never, but is')
})

test('the code of docs/artifacts.md is part of the projects of these tests', () => {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const files = ['artifacts/vitest.config.ts', 'artifacts/kept.test.ts', 'debugged/debugged.test.ts']
  const sources = files.map((file) => readFileSync(path(`projects/${file}`), 'utf8'))
  const snippets = readFileSync(path('../../../docs/artifacts.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)
  const missing = [...snippets].filter(([, code = '']) => !sources.some((source) => source.includes(code)))
  expect(missing.map(([, code]) => code)).toEqual([])
})
