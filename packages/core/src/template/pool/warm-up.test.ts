import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import type { QmpClient } from '../../qemu/qmp.ts'
import type { Restoration } from '../restore.ts'
import { warmUp, warmUpPrompt } from './warm-up.ts'

const qmp = { execute: () => Promise.resolve({}) } as unknown as QmpClient
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
  await warmUp({ consoleStream: stream, qmp }, '# ', 2, NEVER)
  expect(String(stream.read())).toBe('kept')
})

test.each([
  ['ends', (stream: Duplex) => void stream.push(null)],
  ['is closed', (stream: Duplex) => void stream.destroy()],
])('fails when the console %s before the next prompt', async (_title, next) => {
  const warming = warmUp({ consoleStream: consoleStream(next), qmp }, '# ', 2, NEVER)
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('fails when the prompt does not come in time', async () => {
  const stream = consoleStream(() => {})
  const warming = warmUp({ consoleStream: stream, qmp }, '# ', 2, NEVER, { freeMs: 0, takenMs: 60_000 })
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('has less time when a start takes the machine', async () => {
  const taken = new AbortController()
  const stream = consoleStream(() => taken.abort())
  const warming = warmUp({ consoleStream: stream, qmp }, '# ', 2, taken.signal, { freeMs: 60_000, takenMs: 0 })
  await expect(warming).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

test('finishes the current line when a start takes the machine', async () => {
  const taken = new AbortController()
  const stream = consoleStream((console) => {
    taken.abort()
    console.push('# kept')
  })
  await warmUp({ consoleStream: stream, qmp }, '# ', 9, taken.signal)
  expect(String(stream.read())).toBe('kept')
})

const MARK = '\x1b]133;B\x07'

test.each([
  ['at the shell', 'boot\n# ', '# '],
  ['at the shell, which marks its prompt', `boot\n# ${MARK}`, `# ${MARK}`],
  ['at the shell, which has not printed the last mark yet', `boot\n# ${MARK}true\n# `, `# ${MARK}`],
  ['in a program that was started from the shell', `boot\n# ${MARK}python3\n>>> `, undefined],
  ['in a program without a prompt', 'boot\n# cat\n', undefined],
])('the prompt of a guest %s', (_title, console, prompt) => {
  const restoration = { spec: { accelerator: 'tcg', ready: '# ' }, stored: { console: Buffer.from(console) } }
  expect(warmUpPrompt(restoration as unknown as Restoration)).toBe(prompt)
})
