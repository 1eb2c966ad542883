import { TIME_LEFT } from '@coldboot/matchers'
import { TestClock } from '@coldboot/runner'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { clockOf, definitionOf, keepTime } from './keep-time.ts'

/** Resolves when a reference clock of a few milliseconds has expired; shorter clocks must have expired by then. */
function reference(limitMs: number): TestClock {
  return new TestClock(new AbortController().signal, limitMs, () => new Error('up'))
}

type Task = Parameters<typeof keepTime>[0]

/** A fake task with the properties that `keepTime` uses. */
function newTask(limitMs: number): { task: Task; runs: (result: object) => void; attempt: () => AbortController } {
  const task = {
    name: 'a test',
    context: { signal: new AbortController().signal },
    result: undefined as object | undefined,
  }
  keepTime(task as unknown as Task, limitMs, new Error('definition'))
  return {
    task: task as unknown as Task,
    runs: (result) => {
      task.result = result
    },
    attempt: () => {
      const runner = new AbortController()
      task.context.signal = runner.signal
      return runner
    },
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }))
}

describe('the clock of a task', () => {
  test('starts when the runner asks for the signal, but not in a hook', async () => {
    const { task, runs } = newTask(5)
    const later = reference(20)
    runs({ state: 'run', hooks: { beforeEach: 'run' } })
    expect(task.context.signal.aborted).toBe(false)
    later.start()
    await aborted(later.waits)
    expect(clockOf(task).left()).toBe(5)
    runs({ state: 'run', hooks: { beforeEach: 'pass' } })
    expect(await aborted(task.context.signal)).toMatchObject({ code: 'TEST_TIMEOUT' })
  })

  test('times out with an error that points at the definition of the test', async () => {
    const { task, runs } = newTask(1)
    runs({ state: 'run' })
    const error = await aborted(task.context.signal)
    expect(definitionOf(task)).toContain('keep-time.test.ts')
    expect(error).toMatchObject({ stack: expect.stringContaining(definitionOf(task)) })
  })

  test('is replaced for each attempt', async () => {
    const { task, runs, attempt } = newTask(5)
    runs({ state: 'run' })
    await aborted(task.context.signal)
    const runner = attempt()
    expect([task.context.signal.aborted, clockOf(task).waits.aborted]).toEqual([false, false])
    const reason = new Error('cancelled')
    runner.abort(reason)
    expect(task.context.signal.reason).toBe(reason)
  })

  test('does not limit the hooks after a passed test', async () => {
    const { task, runs } = newTask(5)
    const later = reference(20)
    runs({ state: 'run' })
    const { signal } = task.context
    runs({ state: 'pass' })
    later.start()
    await aborted(later.signal)
    expect([signal.aborted, clockOf(task).waits.aborted]).toEqual([false, false])
  })

  test('multiplies its limit by COLDBOOT_TIMEOUT_MULTIPLIER, and provides the remaining time to matchers', () => {
    vi.stubEnv('COLDBOOT_TIMEOUT_MULTIPLIER', '3')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    expect(Reflect.get(newTask(100).task, TIME_LEFT)()).toBe(300)
    expect(Reflect.get(newTask(0).task, TIME_LEFT)()).toBe(Infinity)
  })

  test('is missing for a test of another `test` function', () => {
    expect(() => clockOf({ name: 'other' } as Task)).toThrow('Use the fixtures with `test` from @coldboot/vitest')
  })
})
