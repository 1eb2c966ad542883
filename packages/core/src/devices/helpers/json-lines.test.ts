import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { JsonLines } from './json-lines.ts'

test('an aborted wait leaves no listener on the stream', async () => {
  const stream = new PassThrough()
  const count = (): number => stream.eventNames().reduce((sum, name) => sum + stream.listenerCount(name), 0)
  const before = count()
  const lines = new JsonLines(stream, 'the channel')
  await expect(lines.next({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
  expect(count()).toBe(before)
  stream.write('{"a":1}\n')
  expect(await lines.next()).toEqual({ value: { a: 1 } })
})
