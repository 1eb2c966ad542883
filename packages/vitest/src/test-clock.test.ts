import { TIME_LEFT } from '@coldboot/matchers'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { clockOf, definitionOf, keepTime, TestClock } from './test-clock.ts'

/** The real timers, with limits of a few milliseconds: what is tested is which signal aborts and with what. */
function newClock(limitMs: number): { clock: TestClock; runner: AbortController } {
  const runner = new AbortController()
  return { clock: new TestClock(runner.signal, limitMs, (heldMs) => new Error(`held ${heldMs > 0}`)), runner }
}

type Task = Parameters<typeof keepTime>[0]

/** A task, as far as its time is concerned. */
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

const clocks: TestClock[] = []
afterEach(() => {
  for (const clock of clocks.splice(0)) clock.stop()
})

describe('a clock', () => {
  test('ends the waits first, then the test, for the same reason', async () => {
    const { clock } = newClock(5)
    const order: string[] = []
    const both = Promise.all([
      aborted(clock.signal).then((reason) => [order.push('test'), reason]),
      aborted(clock.waits).then((reason) => [order.push('waits'), reason]),
    ])
    clock.start()
    const [[, one], [, other]] = await both
    expect(order).toEqual(['waits', 'test'])
    expect(one).toBe(other)
    expect(one).toEqual(new Error('held false'))
  })

  test('does not count before it starts', async () => {
    const { clock } = newClock(5)
    const other = newClock(20)
    other.clock.start()
    await aborted(other.clock.waits)
    expect(clock.signal.aborted).toBe(false)
    expect(clock.left()).toBe(5)
  })

  test('stands still while it is held, until the last hold ends', async () => {
    const { clock } = newClock(5)
    const reference = newClock(30)
    const first = clock.hold()
    const second = clock.hold()
    clock.start()
    reference.clock.start()
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    await aborted(reference.clock.waits)
    expect(clock.left()).toBe(5)
    second[Symbol.dispose]()
    expect(await aborted(clock.waits)).toEqual(new Error('held true'))
  })

  test('has no limit when there is none', () => {
    const { clock } = newClock(Infinity)
    clock.start()
    clocks.push(clock)
    expect(clock.left()).toBe(Infinity)
  })

  test('passes on that the runner ended the test', () => {
    const { clock, runner } = newClock(1_000)
    const reason = new Error('bail')
    expect(clock.cancelled).toBe(false)
    runner.abort(reason)
    expect([clock.signal.reason, clock.waits.reason, clock.cancelled]).toEqual([reason, reason, true])
  })

  test('keeps real time when a test fakes the timers', async () => {
    vi.useFakeTimers()
    try {
      const { clock } = newClock(5)
      clock.start()
      await aborted(clock.signal)
      expect(clock.left()).toBeLessThanOrEqual(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('that has ended ends the waits, and no test', async () => {
    const { clock } = newClock(5)
    const reference = newClock(10)
    clock.start()
    clock.end(new Error('over'))
    reference.clock.start()
    await aborted(reference.clock.signal)
    expect([clock.waits.reason, clock.signal.aborted]).toEqual([new Error('over'), false])
  })
})

describe('the clock of a task', () => {
  test('starts when the runner asks for the signal, but not in a hook', async () => {
    const { task, runs } = newTask(5)
    const reference = newClock(20)
    runs({ state: 'run', hooks: { beforeEach: 'run' } })
    expect(task.context.signal.aborted).toBe(false)
    reference.clock.start()
    await aborted(reference.clock.waits)
    expect(clockOf(task).left()).toBe(5)
    runs({ state: 'run', hooks: { beforeEach: 'pass' } })
    expect(await aborted(task.context.signal)).toMatchObject({ code: 'TEST_TIMEOUT' })
  })

  test('points at the definition of the test', async () => {
    const { task, runs } = newTask(1)
    runs({ state: 'run' })
    const error = await aborted(task.context.signal)
    expect(definitionOf(task)).toContain('test-clock.test.ts')
    expect(error).toMatchObject({ stack: expect.stringContaining(definitionOf(task)) })
  })

  test('is a new one in each attempt', async () => {
    const { task, runs, attempt } = newTask(5)
    runs({ state: 'run' })
    await aborted(task.context.signal)
    const runner = attempt()
    expect([task.context.signal.aborted, clockOf(task).waits.aborted]).toEqual([false, false])
    const reason = new Error('cancelled')
    runner.abort(reason)
    expect(task.context.signal.reason).toBe(reason)
  })

  test('lets the hooks after a test that has passed take their time', async () => {
    const { task, runs } = newTask(5)
    const reference = newClock(20)
    runs({ state: 'run' })
    const { signal } = task.context
    runs({ state: 'pass' })
    reference.clock.start()
    await aborted(reference.clock.signal)
    expect([signal.aborted, clockOf(task).waits.aborted]).toEqual([false, false])
  })

  test('goes slower by COLDBOOT_TIMEOUT_MULTIPLIER, and tells matchers what is left', () => {
    vi.stubEnv('COLDBOOT_TIMEOUT_MULTIPLIER', '3')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    expect(Reflect.get(newTask(100).task, TIME_LEFT)()).toBe(300)
    expect(Reflect.get(newTask(0).task, TIME_LEFT)()).toBe(Infinity)
  })

  test('is missing from tests that another `test` made', () => {
    expect(() => clockOf({ name: 'other' } as Task)).toThrow('Use the fixtures with `test` from @coldboot/vitest')
  })
})
