import { readFileSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import fc from 'fast-check'
import { expect } from 'vitest'
import { test } from '../../test/scratch.ts'
import { FileSink } from '../host/image-file.ts'
import { BytesSink } from './memory-sinks.ts'
import { SequentialWriter } from './sequential-writer.ts'

const pieces = fc.array(
  fc.record({
    length: fc.oneof(fc.nat(5000), fc.constantFrom(0, 4096, 2 ** 20, 2 ** 20 + 1, 2 ** 21 + 1)),
    value: fc.constantFrom(0, 0, 1, 255),
    skip: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(10_000)),
  }),
  { maxLength: 12 },
)

test('writes chunks with gaps between them at their positions', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, async (list) => {
      const expected = list.flatMap(({ length, value, skip }) => [Buffer.alloc(skip), Buffer.alloc(length, value)])
      const sink = new BytesSink(expected.reduce((sum, { length }) => sum + length, 0))
      const writer = new SequentialWriter(sink)
      let position = 0
      for (const { length, value, skip } of list) {
        position += skip
        await writer.seek(position)
        await writer.write(Buffer.alloc(length, value))
        position += length
      }
      await writer.end()
      expect(Buffer.concat(expected).equals(sink.bytes)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('pages of zeros become holes', async ({ scratch }) => {
  await using file = await open(scratch.at('out'), 'wx+')
  await file.truncate(2 ** 24)
  const writer = new SequentialWriter(new FileSink(file))
  const bytes = Buffer.alloc(2 ** 24)
  bytes.fill(1, 5_000_000, 5_000_001)
  await writer.write(bytes)
  await writer.end()
  expect(statSync(scratch.at('out')).blocks * 512).toBeLessThanOrEqual(8192)
  expect(readFileSync(scratch.at('out')).equals(bytes)).toBe(true)
})

test('rejects after a failed write, at the latest in `end`', async ({ scratch }) => {
  const path = scratch.tree('source', { file: 'x' })
  await using file = await open(`${path}/file`, 'r')
  const writer = new SequentialWriter(new FileSink(file))
  await writer.write(Buffer.from('y'))
  await expect(writer.end()).rejects.toMatchObject({ code: 'EBADF' })
  await writer.settle()
})
