/** Tests with coverage of real programs. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { VM } from '../../machine/vm.ts'
import { startReady } from '../../template/start-ready.ts'

const PROGRAM = `int main(int argc, char **argv) {
  if (argc > 1)
    return 3;
  return 0;
}
`

const noGcov = ((): string => {
  try {
    for (const tool of ['gcc', 'gcov']) execFileSync(tool, ['--version'])
    return ''
  } catch {
    return ' (gcc and gcov are not installed on this host)'
  }
})()

let folder = ''
let vm: VM
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  vm = await startReady({ ...(await linuxGuest()), timeout: 60_000 })
}, 120_000)
afterAll(async () => {
  await vm?.close()
  rmSync(folder, { recursive: true })
})

test.skipIf(noGcov !== '')(
  `the counts of a program that ran in the guest are those that gcov prints${noGcov}`,
  async () => {
    const build = join(folder, 'build')
    mkdirSync(build)
    writeFileSync(join(build, 'program.c'), PROGRAM)
    execFileSync('gcc', ['--coverage', '-static', '-c', join(build, 'program.c'), '-o', join(build, 'program.o')])
    execFileSync('gcc', ['--coverage', '-static', join(build, 'program.o'), '-o', join(build, 'program')])
    await vm.copyIn(join(build, 'program'), '/tmp/program')
    const env = { GCOV_PREFIX: '/tmp/counts' }
    for (const command of ['/tmp/program', '/tmp/program', '/tmp/program x || true']) await vm.run(command, { env })
    const to = join(folder, 'gcov')
    const files = await vm.collectCoverage({ format: 'gcov', from: '/tmp/counts', to })
    expect(files).toEqual([join(to, build, 'program.gcda')])
    const said = execFileSync('gcov', ['--stdout', files[0] ?? ''], { encoding: 'utf8', cwd: build })
    expect(said).toMatch(/^ +3: +2: {2}if \(argc > 1\)$/m)
    expect(said).toMatch(/^ +1: +3: {4}return 3;$/m)
    expect(said).toMatch(/^ +2: +4: {2}return 0;$/m)
  },
)

test('the coverage of Node has the paths of the host', async () => {
  const source = join(folder, 'program.mjs')
  writeFileSync(source, 'export const used = () => 1\nused()\n')
  const made = join(folder, 'made')
  // The guest has no Node, so Node on the host creates the file.
  execFileSync(process.execPath, [source], { env: { NODE_V8_COVERAGE: made } })
  for (const name of readdirSync(made)) {
    const file = join(made, name)
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(pathToFileURL(folder).href, 'file:///srv/app'))
  }
  await vm.copyIn(made, '/tmp/v8')
  const options = { format: 'v8', from: '/tmp/v8', to: join(folder, 'v8'), sources: { '/srv/app': folder } } as const
  const [file = ''] = await vm.collectCoverage(options)
  const { result } = JSON.parse(readFileSync(file, 'utf8')) as { result: { url: string }[] }
  expect(result.map(({ url }) => url)).toContain(pathToFileURL(source).href)
})

test('coverage of Node without a folder is for the report of the runner', async () => {
  const made = join(folder, 'made')
  const report = join(folder, 'report')
  await vm.copyIn(made, '/tmp/v8')
  vi.stubEnv('NODE_V8_COVERAGE', report)
  onTestFinished(() => void vi.unstubAllEnvs())
  const files = await vm.collectCoverage({ format: 'v8', from: '/tmp/v8' })
  expect(files).toEqual(readdirSync(report).map((name) => join(report, name)))
  vi.stubEnv('NODE_V8_COVERAGE', undefined)
  await expect(vm.collectCoverage({ format: 'v8', from: '/tmp/v8' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    hint: expect.stringContaining('autoAttachSubprocess'),
  })
})

test('a guest without coverage is an error that names the folder', async () => {
  const to = join(folder, 'none')
  await expect(vm.collectCoverage({ format: 'go', from: '/tmp', to })).rejects.toMatchObject({
    code: 'GUEST_FILE_MISSING',
    message: expect.stringContaining('/tmp in "vm" has no coverage of go'),
  })
  await expect(vm.collectCoverage({ format: 'go', from: '/nowhere', to })).rejects.toThrow(/nowhere/)
  await expect(vm.collectCoverage({ format: 'lcov' as 'go', from: '/tmp', to })).rejects.toThrow(/`format`/)
})
