import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import type { QmpClient } from '../../qemu/qmp.ts'
import { warmUp } from './warm-up.ts'

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
