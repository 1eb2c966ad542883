import { duplexPair } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SendQueue } from './send-queue.ts'

test('delivers all data in order, for any chunks and any reader', async () => {
  const pieces = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.uint8Array({ minLength: 5_000, maxLength: 40_000 })),
  )
  await fc.assert(
    fc.asyncProperty(pieces, async (list) => {
      const [near, far] = duplexPair()
      const queue = new SendQueue(near, () => {})
      for (const piece of list) queue.push(Buffer.from(piece))
      const expected = Buffer.concat(list)
      const parts: Buffer[] = []
      for (let length = 0; length < expected.length; ) {
        const part = far.read() as Buffer | null
        if (part) length += parts[parts.push(part) - 1]?.length ?? 0
        else await new Promise((resolve) => setImmediate(resolve))
      }
      expect(Buffer.concat(parts)).toEqual(expected)
    }),
    { numRuns: 50 },
  )
})

test('counts the queued bytes', async () => {
  const [near, far] = duplexPair()
  const progress: number[] = []
  const queue = new SendQueue(near, () => progress.push(queue.bytes))
  for (let index = 0; index < 10; index++) queue.push(Buffer.alloc(50_000))
  expect(queue.bytes).toBe(500_000)
  far.resume()
  while (queue.bytes > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(progress).toEqual([450_000, 350_000, 250_000, 150_000, 50_000, 0])
})

test('copies a small queued frame out of a large buffer', () => {
  const [near] = duplexPair()
  const written: Buffer[] = []
  near.write = ((chunk: Buffer) => written.push(chunk) > 0) as typeof near.write
  const queue = new SendQueue(near, () => {})
  const large = Buffer.alloc(65_536, 1)
  queue.push(large.subarray(0, 64))
  queue.push(large.subarray(64, 128))
  queue.clear()
  expect(queue.bytes).toBe(64)
  expect(written[0]?.buffer).toBe(large.buffer)
})
