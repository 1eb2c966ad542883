import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type InstalledProject, installProject, type RunningRunner } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'
import { headings, PAGE, textsOf } from './page-text.ts'

const POOLS = [
  ['forks', []],
  ['threads', ['--pool=threads']],
  ['forks with a realm for each file', ['--pool=vmForks']],
  ['threads with a realm for each file', ['--pool=vmThreads']],
  ['one worker for all files', ['--no-isolate', '--no-file-parallelism']],
] as const

/** A project with its own directory for temporary files. */
interface PooledProject extends InstalledProject {
  readonly env: NodeJS.ProcessEnv
  readonly temporary: string
  /** A FIFO that its machines keep open. */
  readonly fifo: string
  /** A descriptor that keeps the FIFO open while machines follow each other. */
  readonly holder: number
}

function pooledProject(): PooledProject {
  const installed = installProject('pooled')
  onTestFinished(() => installed[Symbol.dispose]())
  const temporary = join(installed.root, 'tmp')
  mkdirSync(temporary)
  const fifo = join(installed.root, 'life')
  execFileSync('mkfifo', [fifo])
  const env = { TMPDIR: temporary, [MARK]: installed.root }
  return { ...installed, temporary, env, fifo, holder: openSync(fifo, 'r+') }
}

/** Files and processes that machines and their pool keeper have left. */
function leftovers(temporary: string): readonly string[] {
  const ours = (name: string): boolean => name.startsWith('coldboot')
  return readdirSync(temporary)
    .filter(ours)
    .flatMap((name) => [name, ...readdirSync(join(temporary, name)).map((inside) => `${name}/${inside}`)])
}

test.for(POOLS)(
  'a file in %s passes with a machine that was started before the file, and nothing is left',
  async ([, args]) => {
    const project = pooledProject()
    const { root, env, temporary } = project
    const names = ['first', 'second', 'third', 'overridden']
    const { output, exitCode } = await project.run([...args, '--maxWorkers=1', ...names], env)
    expect(exitCode, output).toBe(0)
    expect(output).toContain('Tests  4 passed (4)')
    expect(existsSync(join(root, '.vitest', 'coldboot'))).toBe(false)
    const files = readdirSync(join(root, 'machines'))
    expect(files).toHaveLength(3)
    const older = files.filter(
      (name) => readFileSync(join(root, 'machines', name), 'utf8') === 'started before the file',
    )
    expect(older.length, output).toBeGreaterThanOrEqual(1)
    await gone(project)
    expect(machinesOf(root)).toEqual([])
    expect(leftovers(temporary).filter((name) => !/^coldboot-\d+(?:\/machines)?$/.test(name))).toEqual([])
  },
)

/** Starts a run whose second test waits with a machine, and resolves when it does. */
async function waiting(args: readonly string[]) {
  const started = pooledProject()
  const run: RunningRunner = started.start([...args, '--maxWorkers=1', 'waiting'], started.env)
  // Also when the test fails before it ends the run.
  onTestFinished(() => killed(run))
  await run.printed('waiting for ever')
  return { ...started, run }
}

function killed(run: RunningRunner): void {
  try {
    process.kill(run.pid, 'SIGKILL')
  } catch {
    // The run has ended.
  }
}

/** Resolves when no machine of a run is left, because each keeps the FIFO open. */
async function gone({ fifo, holder }: Pick<PooledProject, 'fifo' | 'holder'>): Promise<void> {
  const reader = createReadStream(fifo)
  await once(reader, 'open')
  closeSync(holder)
  await once(reader.resume(), 'end')
}

/** The folder of a machine of the test that waits. */
const folderOf = (root: string, name: string): string =>
  join(root, '.vitest', 'coldboot', 'waiting.test.ts', 'waits', name)

const isCold = ({ commandLine }: { readonly commandLine: string }): boolean => commandLine.includes('guest=cold')

test.for(POOLS)('machines of %s do not outlive a killed Vitest', async ([, args]) => {
  const project = await waiting(args)
  const { root } = project
  expect(machinesOf(root).filter(isCold)).toHaveLength(1)
  process.kill(project.run.pid, 'SIGKILL')
  expect((await project.run.ended).signal).toBe('SIGKILL')
  await gone(project)
  // A machine that the keeper had only begun to start does not hold the FIFO yet.
  expect(machinesOf(root).filter(isCold)).toEqual([])
  expect(existsSync(join(folderOf(root, 'cold'), 'console.log')), 'the console is kept').toBe(true)
})

test('machines of a killed worker do not outlive it, and the main process completes their files and the page', async () => {
  const project = await waiting([])
  const { root, run } = project
  const worker = Number(readFileSync(join(root, 'worker'), 'utf8'))
  expect(machinesOf(root).find(isCold)?.parent).toBe(worker)
  process.kill(worker, 'SIGKILL')
  const { output, exitCode } = await run.ended
  expect(exitCode).toBe(1)
  expect(output).toContain('Worker exited unexpectedly')
  await gone(project)
  // A machine that the keeper had only begun to start does not hold the FIFO yet.
  expect(machinesOf(root).filter(isCold)).toEqual([])

  const read = (name: string): string => readFileSync(join(folderOf(root, 'vm'), name), 'utf8')
  expect(read('console.log')).toContain('BusyBox')
  expect(read('qmp.jsonl')).toContain('"direction":"received"')
  expect(read('timeline.jsonl')).toContain('"kind":"expect","text":"\\"never\\""')
  expect(read('command-line.sh')).toContain('-name guest=vm')
  expect(read('console.txt')).toMatch(/^\[ +\d+\.\d{3}\] BusyBox/m)
  expect(read('console.cast')).toMatch(/^\{"version":2,/)
  const meta: unknown = JSON.parse(read('meta.json'))
  expect(meta).toMatchObject({
    name: 'vm',
    duration: expect.any(Number),
    test: { file: 'waiting.test.ts', names: ['waits'] },
    errors: ['The process that ran the test ended before the test did.'],
  })
  expect(meta).not.toHaveProperty('writer')

  const html = readFileSync(join(root, PAGE), 'utf8')
  expect(html).toContain('Worker exited unexpectedly')
  expect(headings(html), output).toContain('waits')
  expect(html).toContain('href="./waiting.test.ts/waits/vm/console.log"')
  // The main process has completed the files before it wrote the page.
  expect(textsOf(html, /<pre class="console-text"[^>]*>(.*?)<\/pre>/gs).join('\n')).toContain('last-words-1')
  expect(html).toContain('class="replay"')
})

test('a test that ends its worker at once is on the page, with its machine', async () => {
  const project = pooledProject()
  const { output, exitCode } = await project.run(['--maxWorkers=1', 'crashing'], project.env)
  expect(exitCode).toBe(1)
  await gone(project)
  // Vitest's worker reports the start of a test up to 100 ms later.
  const html = readFileSync(join(project.root, PAGE), 'utf8')
  expect(headings(html), output).toEqual(['crashes'])
  expect(html.includes('href="./crashing.test.ts/crashes/vm/console.log"')).toBe(true)
})

test('a test whose pool keeper is killed fails, and the run continues without pooled machines', async () => {
  const project = await waiting([])
  const { root, run } = project
  process.kill(Number(readFileSync(join(root, 'keeper'), 'utf8')), 'SIGKILL')
  const { output, exitCode } = await run.ended
  expect(exitCode).toBe(1)
  expect(output).toContain('QEMU was killed')
  await gone(project)
  expect(existsSync(join(folderOf(root, 'vm'), 'console.log'))).toBe(true)
})
