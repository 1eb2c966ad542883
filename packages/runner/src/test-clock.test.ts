import { afterEach, describe, expect, test, vi } from 'vitest'
import { TestClock } from './test-clock.ts'

/** A clock on real timers with a limit of a few milliseconds: the tests check which signal aborts, and its reason. */
function newClock(limitMs: number): { clock: TestClock; runner: AbortController } {
  const runner = new AbortController()
  return { clock: new TestClock(runner.signal, limitMs, (heldMs) => new Error(`held ${heldMs > 0}`)), runner }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }))
}

const clocks: TestClock[] = []
afterEach(() => {
  for (const clock of clocks.splice(0)) clock.stop()
})

describe('a clock', () => {
  test('aborts the waits first, then the test, with the same reason', async () => {
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

  test('stops while it is held, until the last hold is disposed', async () => {
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

  test('a clock without a limit has infinite time left', () => {
    const { clock } = newClock(Infinity)
    clock.start()
    clocks.push(clock)
    expect(clock.left()).toBe(Infinity)
  })

  test('a limit that is longer than any timer does not expire at once', async () => {
    const { clock } = newClock(3e9)
    const reference = newClock(20)
    clocks.push(clock)
    clock.start()
    reference.clock.start()
    await aborted(reference.clock.waits)
    expect([clock.waits.aborted, clock.left() > 2e9]).toEqual([false, true])
  })

  test('a clock that is stopped after its waits were aborted does not abort the test', async () => {
    const { clock } = newClock(5)
    const reference = newClock(10)
    clock.start()
    await aborted(clock.waits)
    clock.stop()
    reference.clock.start()
    await aborted(reference.clock.signal)
    expect(clock.signal.aborted).toBe(false)
  })

  test('aborts its signals when the test runner cancels the test', () => {
    const { clock, runner } = newClock(1_000)
    const reason = new Error('bail')
    expect(clock.cancelled).toBe(false)
    runner.abort(reason)
    expect([clock.signal.reason, clock.waits.reason, clock.cancelled]).toEqual([reason, reason, true])
  })

  test('runs in real time when a test fakes the timers', async () => {
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

  test('a clock that ends aborts the waits, but not the test', async () => {
    const { clock } = newClock(5)
    const reference = newClock(10)
    clock.start()
    clock.end(new Error('over'))
    reference.clock.start()
    await aborted(reference.clock.signal)
    expect([clock.waits.reason, clock.signal.aborted]).toEqual([new Error('over'), false])
  })
})
