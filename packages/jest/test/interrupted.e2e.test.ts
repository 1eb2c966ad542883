import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RunnerRun, RunningRunner } from '../../vitest/test/installed-project.ts'
import { LifeLine, MARK, machinesOf, printing } from '../../vitest/test/machine-processes.ts'
import { jestProject } from './jest-project.ts'

/** A run with a running machine. */
interface Living {
  readonly run: RunningRunner
  /** The process that started the machine. */
  readonly worker: number
  readonly root: string
}

/** Resolves when the machine prints; rejects with the output of a run that ends first. */
async function alive(life: LifeLine, run: RunningRunner, folder: string): Promise<void> {
  const ended = run.ended.then(({ output }) => Promise.reject(new Error(`No machine was started:\n${output}`)))
  const begun = life.begun.then(() => printing(folder))
  begun.catch(() => {})
  await Promise.race([begun, ended])
  ended.catch(() => {})
}

/** Waits until the files of a machine are complete, because a worker may outlive the run. @returns its `meta.json` */
async function completed(directory: string): Promise<unknown> {
  const changes = watch(directory)
  try {
    for (;;) {
      const meta: object = JSON.parse(readFileSync(join(directory, 'meta.json'), 'utf8'))
      if (!('writer' in meta)) return meta
      await once(changes, 'change')
    }
  } finally {
    changes.close()
  }
}

/** Runs the project, calls a function when its machine runs, and waits for the end of both. */
async function interrupt(
  args: readonly string[],
  how: (living: Living) => void,
  after: (living: Living) => Promise<void> = async () => {},
): Promise<RunnerRun> {
  using project = jestProject('interrupted')
  using life = new LifeLine()
  using worker = new LifeLine()
  const mark = project.root
  const lines = { COLDBOOT_TEST_LIFE: life.path, COLDBOOT_TEST_WORKER: worker.path }
  const run = project.start(args, { [MARK]: mark, ...lines })
  const folder = join(project.root, '.jest', 'coldboot', 'endless.test.js', 'never-ends', 'vm')
  await alive(life, run, folder)
  const machines = machinesOf(mark)
  expect(machines).toHaveLength(1)
  const living = { run, worker: machines[0]?.parent ?? Number.NaN, root: project.root }
  how(living)
  const [ended] = await Promise.all([run.ended, life.ended, worker.ended])
  await after(living)
  expect(machinesOf(mark)).toEqual([])
  expect(existsSync(join(folder, 'console.log')), 'the console is kept').toBe(true)
  return ended
}

const alone = ['endless']
const inWorkers = ['--maxWorkers=2']

test.for([
  ['the only process', alone],
  ['workers', inWorkers],
] as const)('machines of %s end on Ctrl-C, which the terminal sends to all processes', async ([, args]) => {
  const ended = await interrupt(
    args,
    ({ run }) => run.interrupt('SIGINT'),
    async ({ root }) => {
      const meta = await completed(join(root, '.jest/coldboot/endless.test.js/never-ends/vm'))
      expect(meta).toMatchObject({ exitReason: 'host-qmp-quit', errors: ['"never ends" was interrupted'] })
    },
  )
  expect(ended.signal, ended.output).toBe('SIGINT')
})

test.for([
  ['the only process', alone],
  ['workers', inWorkers],
] as const)('machines of %s do not outlive a Jest that is killed', async ([, args]) => {
  const ended = await interrupt(args, ({ run }) => process.kill(run.pid, 'SIGKILL'))
  expect(ended.signal).toBe('SIGKILL')
})

test('a machine does not outlive a killed worker', async () => {
  const ended = await interrupt(inWorkers, ({ worker, root }) => {
    process.kill(worker, 'SIGKILL')
    writeFileSync(join(root, 'go'), '')
  })
  expect(ended.exitCode).toBe(1)
  expect(ended.output).toContain('was terminated by another process: signal=SIGKILL')
})

test('a machine does not outlive a run that bails out', async () => {
  const ended = await interrupt(['--bail', ...inWorkers], ({ root }) => writeFileSync(join(root, 'go'), ''))
  expect(ended.exitCode).toBe(1)
})

test('a worker that Jest ends with a signal leaves no files of its pooled machines', async () => {
  using project = jestProject('unending')
  const temporary = join(project.root, 'tmp')
  mkdirSync(temporary)
  const { exitCode, output } = await project.run(inWorkers, { TMPDIR: temporary })
  expect(exitCode, output).toBe(0)
  expect(output).toContain('failed to exit gracefully')
  const left = readdirSync(temporary, { recursive: true, encoding: 'utf8' })
  expect(left.filter((name) => /^coldboot-\d+\/(?:machines\/)?\d/.test(name))).toEqual([])
})
