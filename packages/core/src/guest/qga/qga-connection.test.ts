import { duplexPair } from 'node:stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { QgaConnection } from './qga-connection.ts'

interface Request {
  readonly execute: string
  readonly id?: number
  readonly arguments: { readonly id?: number }
}

test('an answer that stays in the port is brought by what is sent behind it', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const [ours, theirs] = duplexPair()
  let held = ''
  const asked: string[] = []
  theirs.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString('latin1').replace('\xff', '').split('\n').filter(Boolean)) {
      const { execute, id, arguments: given } = JSON.parse(line) as Request
      asked.push(execute)
      if (execute === 'guest-sync-delimited') theirs.write(`{"return": ${given.id}}\n`)
      else if (execute === 'guest-ping') theirs.write(`${held}{"return": {}}\n`)
      else held = `{"return": {"pid": 7}, "id": ${id}}\n`
    }
  })
  const connection = new QgaConnection(() => ours)
  await connection.ready()
  const answer = connection.execute('guest-exec')
  await vi.advanceTimersByTimeAsync(3_000)
  expect(await answer).toEqual({ pid: 7 })
  // Nobody waits any more.
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toEqual(['guest-sync-delimited', 'guest-exec', 'guest-ping'])
})

test('an agent that is silent is written to a few times, and then no more', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const [ours, theirs] = duplexPair()
  let pings = 0
  theirs.on('data', (chunk: Buffer) => {
    pings += chunk.toString('latin1').split('guest-ping').length - 1
  })
  const connection = new QgaConnection(() => ours)
  void connection.ready()
  void connection.execute('guest-info')
  await vi.advanceTimersByTimeAsync(600_000)
  expect(pings).toBe(10)
})
