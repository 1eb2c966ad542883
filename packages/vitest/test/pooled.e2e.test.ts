import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type InstalledProject, installProject, type RunningRunner } from './installed-project.ts'

const POOLS = [
  ['forks', []],
  ['threads', ['--pool=threads']],
  ['forks with a realm for each file', ['--pool=vmForks']],
  ['threads with a realm for each file', ['--pool=vmThreads']],
  ['one worker for all files', ['--no-isolate', '--no-file-parallelism']],
] as const

/** A project with temporary files of its own. */
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
  const env = { TMPDIR: temporary }
  return { ...installed, temporary, env, fifo, holder: openSync(fifo, 'r+') }
}

/** What is left of machines and their keeper. */
function leftovers(temporary: string): readonly string[] {
  const ours = (name: string): boolean => name.startsWith('coldboot')
  return readdirSync(temporary)
    .filter(ours)
    .flatMap((name) => [name, ...readdirSync(join(temporary, name)).map((inside) => `${name}/${inside}`)])
}

test.for(POOLS)(
  'a file in %s gets a machine that was started before the file, and nothing is left',
  async ([, args]) => {
    const project = pooledProject()
    const { root, env, temporary } = project
    const { output, exitCode } = await project.run([...args, '--maxWorkers=1', 'first', 'second', 'third'], env)
    expect(exitCode, output).toBe(0)
    const files = readdirSync(join(root, 'machines'))
    expect(files).toHaveLength(3)
    const older = files.filter(
      (name) => readFileSync(join(root, 'machines', name), 'utf8') === 'started before the file',
    )
    expect(older.length, output).toBeGreaterThanOrEqual(1)
    await gone(project)
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

test.for(POOLS)('machines of %s do not outlive a killed Vitest', async ([, args]) => {
  const project = await waiting(args)
  process.kill(project.run.pid, 'SIGKILL')
  expect((await project.run.ended).signal).toBe('SIGKILL')
  await gone(project)
})

test('the machine of a killed worker does not outlive it', async () => {
  const project = await waiting([])
  const { root, run } = project
  process.kill(Number(readFileSync(join(root, 'worker'), 'utf8')), 'SIGKILL')
  const { output, exitCode } = await run.ended
  expect(exitCode).toBe(1)
  expect(output).toContain('Worker exited unexpectedly')
  await gone(project)
})

test('a test whose keeper is killed fails, and the run goes on without its machines', async () => {
  const project = await waiting([])
  const { root, run } = project
  process.kill(Number(readFileSync(join(root, 'keeper'), 'utf8')), 'SIGKILL')
  const { output, exitCode } = await run.ended
  expect(exitCode).toBe(1)
  expect(output).toContain('QEMU was killed')
  await gone(project)
  expect(existsSync(join(root, '.vitest', 'coldboot', 'waiting.test.ts', 'waits', 'vm', 'console.log'))).toBe(true)
})
