import { Duplex } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import {
  CLOCK,
  DONE,
  EXEC,
  EXIT,
  encodeFrame,
  FrameReader,
  HELLO,
  OUT,
  RESEED,
} from '../../guest/agent/agent-frames.ts'
import { noteUse } from '../../guest/agent/last-use.ts'
import type { QmpClient } from '../../qemu/qmp.ts'
import type { Restoration } from '../restore.ts'
import { warmUp } from './warm-up.ts'
import { planWarmUp } from './warm-up-plan.ts'

const qmp = { execute: () => Promise.resolve({}) } as unknown as QmpClient
const LINE = { request: '\n', end: '# ' }
const NEVER = new AbortController().signal

/** A console that answers a line. */
function consoleStream(answer: (stream: Duplex) => void): Duplex {
  return new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      answer(this)
      done()
    },
  })
}

test('drops the prompt of the warm-up, and keeps what the guest prints after it', async () => {
  const stream = consoleStream((console) => console.push('\n# kept'))
  await warmUp({ qmp, stream }, LINE, NEVER)
  expect(String(stream.read())).toBe('kept')
})

test.each([
  ['ends', (stream: Duplex) => void stream.push(null)],
  ['is closed', (stream: Duplex) => void stream.destroy()],
])('fails when the console %s before the prompt', async (_title, answer) => {
  const warming = warmUp({ qmp, stream: consoleStream(answer) }, LINE, NEVER)
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('fails when the prompt does not come in time', async () => {
  const stream = consoleStream(() => {})
  const warming = warmUp({ qmp, stream }, LINE, NEVER, { freeMs: 0, takenMs: 60_000 })
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('has less time when a start takes the machine', async () => {
  const taken = new AbortController()
  const stream = consoleStream(() => taken.abort())
  const warming = warmUp({ qmp, stream }, LINE, taken.signal, { freeMs: 60_000, takenMs: 0 })
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('waits for the answer when a start takes the machine meanwhile', async () => {
  const taken = new AbortController()
  const stream = consoleStream((console) => {
    taken.abort()
    setImmediate(() => console.push('# kept'))
  })
  await warmUp({ qmp, stream }, LINE, taken.signal)
  expect(String(stream.read())).toBe('kept')
})

test('sends the request again after each answer, until a start takes the machine', async () => {
  const taken = new AbortController()
  let lines = 0
  const stream = consoleStream((console) => {
    if (++lines === 3) taken.abort()
    console.push(`${lines}# `)
  })
  await warmUp({ qmp, stream }, { ...LINE, times: 2 }, taken.signal)
  expect(lines).toBe(2)
  await warmUp({ qmp, stream }, { ...LINE, times: 9 }, taken.signal)
  expect(lines).toBe(3)
  expect(stream.read()).toBeNull()
})

test('does not run a guest that a start has taken already', async () => {
  const stream = consoleStream(() => expect.unreachable())
  await warmUp({ qmp, stream }, LINE, AbortSignal.abort())
})

const AGENT = [{ name: 'other' }, { name: 'channel', claims: ['channel:org.coldboot.agent'] }]

function restorationWith(devices: readonly object[], console = 'boot\n# '): Restoration {
  const spec = { accelerator: 'tcg', ready: '# ', devices }
  return { spec, stored: { console: Buffer.from(console) } } as unknown as Restoration
}

/** The agent, which answers in pieces, and says more at the end. @param requested the types of the requests */
function agentStream(requested: number[]): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const frames = new FrameReader().push(chunk)
      requested.push(...frames.map(({ type }) => type))
      const answers = frames.flatMap(({ type, id }) => {
        if (type !== EXEC) return [encodeFrame(DONE, id)]
        return [encodeFrame(OUT, id, Buffer.from('\n')), encodeFrame(EXIT, id, Buffer.alloc(4))]
      })
      const data = Buffer.concat([...answers, encodeFrame(HELLO, 0)])
      this.push(data.subarray(0, 12))
      setImmediate(() => this.push(data.subarray(12, -11)))
      setImmediate(() => this.push(data.subarray(-11)))
      done()
    },
  })
}

test.each([
  ['', [], [CLOCK, RESEED, EXEC]],
  [', without setting a clock that keeps its time', [{ name: 'rtc', keepsTime: true }], [RESEED, EXEC]],
])('uses the agent as a start and a command do%s, and keeps what it says later', async (_title, more, requests) => {
  const requested: number[] = []
  const stream = agentStream(requested)
  await warmUp({ qmp, stream }, planWarmUp(restorationWith([...AGENT, ...more]))?.exchange ?? LINE, NEVER)
  expect(requested).toEqual(requests)
  expect(stream.read()).toEqual(encodeFrame(HELLO, 0))
})

test('runs in the guest what the tests used last', () => {
  onTestFinished(() => noteUse('agent'))
  expect(planWarmUp(restorationWith(AGENT))).toMatchObject({ position: 1 })
  expect(planWarmUp(restorationWith(AGENT, 'boot'))).toBeUndefined()
  noteUse('console')
  expect(planWarmUp(restorationWith(AGENT))).toEqual({ exchange: { ...LINE, times: 4 } })
})

const MARK = '\x1b]133;B\x07'

test.each([
  ['at the shell', 'boot\n# ', '# '],
  ['at the shell, which marks its prompt', `boot\n# ${MARK}`, `# ${MARK}`],
  ['at the shell, which has not printed the last mark yet', `boot\n# ${MARK}true\n# `, `# ${MARK}`],
  ['in a program that was started from the shell', `boot\n# ${MARK}python3\n>>> `, undefined],
  ['in a program without a prompt', 'boot\n# cat\n', undefined],
])('the prompt of a guest %s', (_title, console, prompt) => {
  const exchange = prompt && { request: '\n', end: prompt, times: 4 }
  expect(planWarmUp(restorationWith([], console))).toEqual(exchange && { exchange })
})
