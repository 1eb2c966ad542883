import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { installProject, type RunnerRun, type RunningRunner } from './installed-project.ts'
import { LifeLine, MARK, machinesOf, printing } from './machine-processes.ts'

/** Resolves when the machine prints; rejects with the output of a run that ends first. */
async function alive(life: LifeLine, run: RunningRunner, folder: string): Promise<void> {
  const ended = run.ended.then(({ output }) => Promise.reject(new Error(`No machine was started:\n${output}`)))
  const begun = life.begun.then(() => printing(folder))
  begun.catch(() => {})
  await Promise.race([begun, ended])
  ended.catch(() => {})
}

describe.for(['forks', 'threads'] as const)('machines in %s', (pool) => {
  /** Runs a file of the project, calls a function when its machine runs, and waits for the end of both. */
  async function interrupt(file: string, how: (run: RunningRunner, mark: string) => unknown): Promise<RunnerRun> {
    using project = installProject('interrupted')
    using life = new LifeLine()
    const mark = project.root
    const run = project.start([`--pool=${pool}`, file], { [MARK]: mark, COLDBOOT_TEST_LIFE: life.path })
    const folder = join(project.root, '.vitest', 'coldboot', `${file}.test.ts`, 'never-ends', 'vm')
    await alive(life, run, folder)
    expect(machinesOf(mark)).toHaveLength(1)
    await how(run, mark)
    const [ended] = await Promise.all([run.ended, life.ended])
    expect(machinesOf(mark)).toEqual([])
    expect(existsSync(join(folder, 'console.log')), 'the console is kept').toBe(true)
    return ended
  }

  test.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('end in order on %s', async ([signal, exitCode]) => {
    const ended = await interrupt('endless', (run) => process.kill(run.pid, signal))
    expect(ended.exitCode).toBe(exitCode)
    expect(ended.output).toContain('1 skipped')
  })

  test('end with the teardown on Ctrl-C, which the terminal also sends to the workers', async () => {
    const ended = await interrupt('endless', (run) => run.interrupt('SIGINT'))
    expect(ended.exitCode).toBe(130)
    expect(ended.output).toContain('1 skipped')
  })

  test('end at once on a second Ctrl-C while the teardown hangs', async () => {
    const ended = await interrupt('stuck', async (run) => {
      run.interrupt('SIGINT')
      await run.printed('Repeat to exit')
      run.interrupt('SIGINT')
    })
    expect(ended.exitCode).toBe(130)
    expect(ended.output).not.toContain('skipped')
  })

  test('do not outlive a killed Vitest', async () => {
    const ended = await interrupt('endless', (run) => process.kill(run.pid, 'SIGKILL'))
    expect(ended.signal).toBe('SIGKILL')
  })
})

test('a machine does not outlive a killed worker', async () => {
  using project = installProject('interrupted')
  using life = new LifeLine()
  const run = project.start(['endless'], { [MARK]: project.root, COLDBOOT_TEST_LIFE: life.path })
  await alive(life, run, join(project.root, '.vitest', 'coldboot', 'endless.test.ts', 'never-ends', 'vm'))
  const [machine] = machinesOf(project.root)
  process.kill(machine?.parent ?? Number.NaN, 'SIGKILL')
  const [ended] = await Promise.all([run.ended, life.ended])
  expect(ended.exitCode).toBe(1)
  expect(ended.output).toContain('Worker exited unexpectedly')
})

test('the main process completes the files of a killed worker', async () => {
  using project = installProject('interrupted')
  const run = project.start(['recorded'], { [MARK]: project.root })
  await run.printed('waiting for ever')
  const [machine] = machinesOf(project.root)
  process.kill(machine?.parent ?? Number.NaN, 'SIGKILL')
  expect((await run.ended).exitCode).toBe(1)

  const folder = join(project.root, '.vitest', 'coldboot', 'recorded.test.ts', 'never-ends', 'vm')
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
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
    test: { file: 'recorded.test.ts', names: ['never ends'] },
    errors: ['The process that ran the test ended before the test did.'],
  })
  expect(meta).not.toHaveProperty('writer')
})
