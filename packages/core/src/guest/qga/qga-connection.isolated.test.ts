import { duplexPair } from 'node:stream'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { QgaConnection } from './qga-connection.ts'

vi.mock(import('../../host/clock.ts'), async (original) => {
  const { FAKEABLE_CLOCK } = await import('../../../test/fakeable-clock.ts')
  return { ...(await original()), ...FAKEABLE_CLOCK }
})

interface Request {
  readonly execute: string
  readonly id?: number
  readonly arguments: { readonly id?: number }
}

/** Resolves when data from both sides has arrived. */
function arrived(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** A fake agent that answers the first sync, and further requests when the test says so. */
async function connected(): Promise<{
  readonly connection: QgaConnection
  /** Requests that it has not answered. */
  readonly unanswered: () => string
  readonly unansweredCommands: () => string[]
  /** Answers all requests, each with its own command. */
  readonly answer: () => Promise<void>
  readonly forget: () => void
  readonly say: (text: string) => void
}> {
  const [ours, theirs] = duplexPair()
  let text = ''
  theirs.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1').replace('\xff', '')
    const sync = /^\{"execute":"guest-sync-delimited","arguments":\{"id":(\d+)\}\}\n/.exec(text)
    if (sync === null) return
    text = text.slice(sync[0].length)
    theirs.write(Buffer.from(`\xff{"return": ${sync[1]}}\n`, 'latin1'))
  })
  const connection = new QgaConnection(() => ours)
  await connection.ready()
  const questions = (): Request[] => text.split(/\n|(?<=\})(?=\{)/).flatMap((line) => (line ? [JSON.parse(line)] : []))
  return {
    connection,
    unanswered: () => text,
    unansweredCommands: () => questions().map(({ execute }) => execute),
    answer: async () => {
      const answered = questions()
      text = ''
      for (const { execute, id } of answered) theirs.write(`{"return": "${execute}", "id": ${id}}\n`)
      await arrived()
    },
    forget: () => {
      text = ''
    },
    say: (answer) => void theirs.write(answer),
  }
}

describe('an agent', () => {
  test('gets no more unanswered requests than it reads at once', async () => {
    const { connection, unanswered, answer } = await connected()
    const words = Array.from({ length: 50 }, (_, index) => `word-${index}`)
    const answers = Promise.all(words.map((word) => connection.execute(word, { text: 'x'.repeat(300) })))
    await arrived()
    expect(unanswered().length).toBeGreaterThan(3_000)
    while (unanswered() !== '') {
      expect(unanswered().length).toBeLessThanOrEqual(4_096)
      await answer()
    }
    expect(await answers).toEqual(words)
  })

  test('gets a long request alone, without a line end', async () => {
    const { connection, unanswered, unansweredCommands, answer } = await connected()
    const answers = ['first', 'long', 'last'].map((command) =>
      connection.execute(command, command === 'long' ? { text: 'ü'.repeat(2_500) } : {}),
    )
    await arrived()
    expect(unansweredCommands()).toEqual(['first'])
    await answer()
    expect(unansweredCommands()).toEqual(['long'])
    expect(unanswered()).toMatch(/\}$/)
    await answer()
    expect(unansweredCommands()).toEqual(['last'])
    await answer()
    expect(await Promise.all(answers)).toEqual(['first', 'long', 'last'])
  })
})

describe('an agent that is silent', () => {
  function useFakeTimers(): void {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
  }

  test('an agent that is silent and answers again was restarted: earlier requests are lost, later ones are not', async () => {
    useFakeTimers()
    const { connection, unansweredCommands, answer, forget } = await connected()
    const lost = connection.execute('guest-exec')
    const refused = expect(lost).rejects.toMatchObject({ name: 'Error', errorClass: 'Lost' })
    await arrived()
    forget()
    vi.advanceTimersByTime(3_000)
    await arrived()
    await answer()
    await refused
    const next = connection.execute('guest-info')
    await arrived()
    await answer()
    expect(await next).toBe('guest-info')
    vi.advanceTimersByTime(60_000)
    await arrived()
    expect(unansweredCommands()).toEqual([])
  })

  test('gets time for a long request before a ping', async () => {
    useFakeTimers()
    const { connection, unansweredCommands, answer } = await connected()
    const long = connection.execute('long', { text: 'x'.repeat(5_000) })
    vi.advanceTimersByTime(29_000)
    await arrived()
    expect(unansweredCommands()).toEqual(['long'])
    vi.advanceTimersByTime(1_000)
    await arrived()
    expect(unansweredCommands()).toEqual(['long', 'guest-ping'])
    await answer()
    expect(await long).toBe('long')
  })

  test('gets only a few pings', async () => {
    useFakeTimers()
    const { connection, unansweredCommands } = await connected()
    void connection.execute('guest-info')
    vi.advanceTimersByTime(600_000)
    await arrived()
    expect(unansweredCommands()).toEqual(['guest-info', ...Array.from({ length: 10 }, () => 'guest-ping')])
  })
})

test('an answer that is too long is dropped, and its request is lost', async () => {
  const { connection, say, unanswered } = await connected()
  const [first, second] = [connection.execute('first'), connection.execute('second')]
  const lost = expect(first).rejects.toThrow('did not answer')
  await arrived()
  const [one, two] = unanswered().match(/(?<="id":)\d+/g) ?? []
  say('{"return": "')
  for (let written = 0; written <= 64; written++) say('x'.repeat(2 ** 20))
  say(`", "id": ${one}}\n{"return": "whole", "id": ${two}}\n`)
  expect(await second).toBe('whole')
  await lost
})
