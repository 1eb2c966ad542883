import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Impairment, resolveImpairment } from './impairment.ts'
import { LinkConditioner } from './link-conditioner.ts'

vi.mock(import('../host/clock.ts'), async (original) => {
  const { FAKEABLE_CLOCK } = await import('../../test/fakeable-clock.ts')
  return { ...(await original()), ...FAKEABLE_CLOCK }
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Arrival times of frames that are sent every `gapMs`. Lost frames are missing. */
function arrivals(
  impairment: Impairment,
  count: number,
  { gapMs = 0, bytes = 1_000, salt = 0 } = {},
): Map<number, number> {
  const conditioner = new LinkConditioner(resolveImpairment(impairment), salt)
  const begun = performance.now()
  const times = new Map<number, number>()
  for (let index = 0; index < count; index++) {
    const frame = Buffer.alloc(bytes)
    frame.writeUInt32BE(index)
    conditioner.pass(frame, (arrived) => times.set(arrived.readUInt32BE(), performance.now() - begun))
    vi.advanceTimersByTime(gapMs)
  }
  vi.runAllTimers()
  expect(times.size + conditioner.lost).toBe(count)
  return times
}

test('a perfect link delivers at once', () => {
  expect([...arrivals({}, 3)]).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
  ])
})

test('latency is added to each frame', () => {
  expect([...arrivals({ latency: 50 }, 3, { gapMs: 20 }).values()]).toEqual([50, 70, 90])
})

test('jitter varies the latency, keeps the order, and is never negative', () => {
  const times = [...arrivals({ latency: 30, jitter: 40 }, 500, { gapMs: 100 })].map(
    ([index, time]) => time - index * 100,
  )
  expect(Math.min(...times)).toBe(0)
  expect(Math.max(...times)).toBeGreaterThan(60)
  expect(Math.max(...times)).toBeLessThanOrEqual(71)
  const together = arrivals({ latency: 30, jitter: 30 }, 50)
  expect([...together.keys()]).toEqual([...together.keys()].toSorted((a, b) => a - b))
})

test('bandwidth spaces frames, and drops those that exceed the queue', () => {
  // 1000 bytes are 8000 bits, so each frame takes 8 ms.
  const times = arrivals({ bandwidth: '1Mbit' }, 200)
  expect([times.get(0), times.get(1), times.get(9)]).toEqual([8, 16, 80])
  expect(times.size).toBe(151)
  expect(arrivals({ bandwidth: '1Mbit' }, 200, { gapMs: 8 }).size).toBe(200)
})

describe('loss', () => {
  test('has the given ratio', () => {
    expect(arrivals({ loss: 0 }, 1_000).size).toBe(1_000)
    expect(arrivals({ loss: 1 }, 1_000).size).toBe(0)
    expect(arrivals({ loss: 0.1 }, 10_000).size / 10_000).toBeCloseTo(0.9, 1)
  })

  test('drops the same frames for the same seed, and others for another seed or link', () => {
    const lost = (impairment: Impairment, salt: number) => [...arrivals(impairment, 200, { salt }).keys()]
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const first = lost({ loss: 0.5, seed }, 3)
        expect(lost({ loss: 0.5, seed }, 3)).toEqual(first)
        expect(lost({ loss: 0.5, seed: seed + 1 }, 3)).not.toEqual(first)
        expect(lost({ loss: 0.5, seed }, 4)).not.toEqual(first)
        // Other faults of the link do not change which frames are lost.
        expect(lost({ loss: 0.5, seed, latency: 20, jitter: 5 }, 3)).toEqual(first)
      }),
      { numRuns: 30 },
    )
  })
})

test('a closed link delivers nothing more', () => {
  const conditioner = new LinkConditioner(resolveImpairment({ latency: 10 }))
  const delivered = vi.fn()
  conditioner.pass(Buffer.alloc(100), delivered)
  conditioner.close()
  vi.runAllTimers()
  expect(delivered).not.toHaveBeenCalled()
})

test('accepts all forms of a bandwidth', () => {
  const perMs = (bandwidth: number | string) => resolveImpairment({ bandwidth }).bytesPerMs
  expect([8_000, '8000', '8kbit', '8k', '0.008Mbit'].map(perMs)).toEqual([1, 1, 1, 1, 1])
  expect(perMs('1Gbit')).toBe(125_000)
})

test.each([
  [{ latency: -1 }, /`latency` must be milliseconds, 0 or more/],
  [{ jitter: Number.NaN }, /`jitter` must be milliseconds/],
  [{ loss: 10 }, /`loss` must be a ratio from 0 to 1/],
  [{ bandwidth: 0 }, /`bandwidth` must be bits per second/],
  [{ bandwidth: '10 MB/s' }, /`bandwidth` must be bits per second/],
  [{ bandwidth: Number.POSITIVE_INFINITY }, /`bandwidth` must be bits per second/],
  [{ seed: 1.5 }, /`seed` must be a whole number/],
  [{ delay: 5 } as Impairment, /Unknown option `delay`/],
])('%j is refused', (impairment, reason) => {
  expect(() => resolveImpairment(impairment)).toThrow(reason)
})
