import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { onMessage } from './keeper-messages.ts'
import { PoolKeeper } from './pool-keeper.ts'

/** A keeper. @returns path of its socket */
async function keeper(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  const path = join(directory, 'socket')
  const running = await PoolKeeper.listen(path)
  onTestFinished(async () => {
    await running.end()
    rmSync(directory, { recursive: true, force: true })
  })
  return path
}

/** Sends a line, and returns the answers until the keeper closes the connection. */
async function answers(path: string, line: string): Promise<string> {
  const socket = connect(path)
  socket.write(`${line}\n`)
  return text(socket)
}

const TAKE = JSON.stringify({ kind: 'take', key: { key: 'template', identity: '' } })

test.each(['{"kind": "ta', 'null', '{"kind": "refill"}', '{"kind": "take"}'])(
  'a keeper closes only the connection with the request %s',
  async (request) => {
    const path = await keeper()
    const other = connect(path)
    onTestFinished(() => void other.destroy())
    await once(other, 'connect')
    expect(await answers(path, request)).toBe('')
    expect(await answers(path, TAKE)).toBe('{}\n')
    expect(other.readyState).toBe('open')
  },
)

test.each(['{"terminate": "SIG', 'null'])('a connection ends at a message that cannot be handled: %s', async (line) => {
  const path = await keeper()
  const socket = connect(path)
  onMessage(socket, (message) => (message as { readonly exit: unknown }).exit)
  socket.emit('data', Buffer.from(`${line}\n`))
  await once(socket, 'close')
  expect(socket.destroyed).toBe(true)
})
