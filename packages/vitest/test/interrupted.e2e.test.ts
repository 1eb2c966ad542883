import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { installProject, type RunningVitest } from './installed-project.ts'
import { LifeLine, MARK, machinesOf } from './machine-processes.ts'

/** Processes of a run besides the machines: Vitest and its workers. */
function signalOne(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal)
}

const POOLS = ['forks', 'threads'] as const

describe.for(POOLS)('machines in %s', (pool) => {
  /** Starts the endless test, does something to it once its machine runs, and waits for the end of both. */
  async function interrupt(
    mark: string,
    how: (run: RunningVitest) => void,
  ): Promise<{ output: string; exitCode: number | null }> {
    using project = installProject('interrupted')
    using life = new LifeLine()
    const run = project.start([`--pool=${pool}`], { [MARK]: mark, COLDBOOT_TEST_LIFE: life.path })
    await life.begun
    how(run)
    const [ended] = await Promise.all([run.ended, life.ended])
    expect(machinesOf(mark)).toEqual([])
    return ended
  }

  test.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('end in order on %s', async ([signal, exitCode]) => {
    const ended = await interrupt(`${pool}-${signal}-${process.pid}`, (run) => signalOne(run.pid, signal))
    expect(ended.exitCode).toBe(exitCode)
    expect(ended.output).toContain('ending the machines')
    expect(ended.output).toContain('1 skipped')
  })

  test('end in order on Ctrl-C, which the terminal sends to the workers too', async () => {
    const ended = await interrupt(`${pool}-group-${process.pid}`, (run) => run.interrupt('SIGINT'))
    expect(ended.exitCode).toBe(130)
    expect(ended.output).toContain('1 skipped')
  })

  test('end at once on a second Ctrl-C', async () => {
    const ended = await interrupt(`${pool}-twice-${process.pid}`, (run) => {
      run.interrupt('SIGINT')
      run.interrupt('SIGINT')
    })
    expect(ended.exitCode).toBe(130)
  })

  test('do not outlive a Vitest that is killed', async () => {
    await interrupt(`${pool}-kill-${process.pid}`, (run) => signalOne(run.pid, 'SIGKILL'))
  })
})
