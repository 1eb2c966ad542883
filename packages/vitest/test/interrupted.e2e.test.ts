import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { installProject, type RunnerRun, type RunningRunner } from './installed-project.ts'
import { LifeLine, MARK, machinesOf, printing } from './machine-processes.ts'
import { headings, PAGE } from './page-text.ts'

/** A run that was interrupted. */
interface InterruptedRun extends RunnerRun {
  /** The page that it wrote. */
  readonly page: string
}

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
  async function interrupt(file: string, how: (run: RunningRunner) => unknown): Promise<InterruptedRun> {
    using project = installProject('interrupted')
    using life = new LifeLine()
    const mark = project.root
    const run = project.start([`--pool=${pool}`, file], { [MARK]: mark, COLDBOOT_TEST_LIFE: life.path })
    const folder = join(project.root, '.vitest', 'coldboot', `${file}.test.ts`, 'never-ends', 'vm')
    await alive(life, run, folder)
    expect(machinesOf(mark)).toHaveLength(1)
    await how(run)
    const [ended] = await Promise.all([run.ended, life.ended])
    expect(machinesOf(mark)).toEqual([])
    expect(existsSync(join(folder, 'console.log')), 'the console is kept').toBe(true)
    const page = join(project.root, PAGE)
    return { ...ended, page: existsSync(page) ? readFileSync(page, 'utf8') : '' }
  }

  test.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('end in order on %s, and are on the page', async ([signal, exitCode]) => {
    const ended = await interrupt('endless', (run) => process.kill(run.pid, signal))
    expect(ended.exitCode).toBe(exitCode)
    expect(ended.output).toContain('1 skipped')
    expect(ended.page).toContain('<title>1 test interrupted</title>')
    expect(headings(ended.page)).toEqual(['never ends'])
    expect(ended.page).toContain('href="./endless.test.ts/never-ends/vm/console.log"')
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
})
