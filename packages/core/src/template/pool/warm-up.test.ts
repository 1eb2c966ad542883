import { Duplex } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { EXIT, encodeFrame, HELLO, OUT } from '../../guest/agent/agent-frames.ts'
import { noteUse } from '../../guest/agent/last-use.ts'
import type { QmpClient } from '../../qemu/qmp.ts'
import type { Restoration } from '../restore.ts'
import { warmUp } from './warm-up.ts'
import { planWarmUp } from './warm-up-plan.ts'

const qmp = { execute: () => Promise.resolve({}) } as unknown as QmpClient
const LINE = { request: '\n', end: '# ' }
const NEVER = new AbortController().signal

/** A console that answers the first line with a prompt, and then behaves differently. */
function consoleStream(next: (stream: Duplex) => void): Duplex {
  let lines = 0
  return new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      if (lines++ === 0) this.push('# ')
      else next(this)
      done()
    },
  })
}

test('drops the prompts of the warm-up, and keeps what the guest prints after the last one', async () => {
  const stream = consoleStream((console) => console.push('\n# kept'))
  await warmUp({ qmp, stream }, LINE, 2, NEVER)
  expect(String(stream.read())).toBe('kept')
})

test.each([
  ['ends', (stream: Duplex) => void stream.push(null)],
  ['is closed', (stream: Duplex) => void stream.destroy()],
])('fails when the console %s before the next prompt', async (_title, next) => {
  const warming = warmUp({ qmp, stream: consoleStream(next) }, LINE, 2, NEVER)
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('fails when the prompt does not come in time', async () => {
  const stream = consoleStream(() => {})
  const warming = warmUp({ qmp, stream }, LINE, 2, NEVER, { freeMs: 0, takenMs: 60_000 })
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('has less time when a start takes the machine', async () => {
  const taken = new AbortController()
  const stream = consoleStream(() => taken.abort())
  const warming = warmUp({ qmp, stream }, LINE, 2, taken.signal, { freeMs: 60_000, takenMs: 0 })
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('finishes the current line when a start takes the machine', async () => {
  const taken = new AbortController()
  const stream = consoleStream((console) => {
    taken.abort()
    console.push('# kept')
  })
  await warmUp({ qmp, stream }, LINE, 9, taken.signal)
  expect(String(stream.read())).toBe('kept')
})

const AGENT = [{ name: 'other' }, { name: 'channel', claims: ['channel:org.coldboot.agent'] }]

function restorationWith(devices: readonly object[], console = 'boot\n# '): Restoration {
  const spec = { accelerator: 'tcg', ready: '# ', devices }
  return { spec, stored: { console: Buffer.from(console) } } as unknown as Restoration
}

/** The agent, which answers each command in pieces, and says more after the last one. */
function agentStream(): Duplex {
  let commands = 0
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const id = chunk.readUInt32LE(5)
      const answer = Buffer.concat([encodeFrame(OUT, id, Buffer.from('\n')), encodeFrame(EXIT, id, Buffer.alloc(4))])
      this.push(answer.subarray(0, 12))
      setImmediate(() => this.push(answer.subarray(12)))
      if (++commands === 2) setImmediate(() => this.push(encodeFrame(HELLO, 0)))
      done()
    },
  })
}

test('drops the answers of the agent, and keeps what it says after the last one', async () => {
  const stream = agentStream()
  await warmUp({ qmp, stream }, planWarmUp(restorationWith(AGENT))?.round ?? LINE, 2, NEVER)
  expect(stream.read()).toEqual(encodeFrame(HELLO, 0))
})

test('runs in the guest what the tests used last', () => {
  onTestFinished(() => noteUse('agent'))
  expect(planWarmUp(restorationWith(AGENT))).toMatchObject({ position: 1 })
  expect(planWarmUp(restorationWith(AGENT, 'boot'))).toBeUndefined()
  noteUse('console')
  expect(planWarmUp(restorationWith(AGENT))).toEqual({ round: LINE })
})

const MARK = '\x1b]133;B\x07'

test.each([
  ['at the shell', 'boot\n# ', '# '],
  ['at the shell, which marks its prompt', `boot\n# ${MARK}`, `# ${MARK}`],
  ['at the shell, which has not printed the last mark yet', `boot\n# ${MARK}true\n# `, `# ${MARK}`],
  ['in a program that was started from the shell', `boot\n# ${MARK}python3\n>>> `, undefined],
  ['in a program without a prompt', 'boot\n# cat\n', undefined],
])('the prompt of a guest %s', (_title, console, prompt) => {
  const round = prompt && { request: '\n', end: prompt }
  expect(planWarmUp(restorationWith([], console))).toEqual(round && { round })
})
