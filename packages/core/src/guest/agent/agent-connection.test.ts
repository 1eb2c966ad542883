import { type Duplex, duplexPair } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { AgentConnection } from './agent-connection.ts'
import { AGENT_VERSION, encodeFrame, HEADER, HELLO, LONGEST_RECEIVED, OUT, PONG } from './agent-frames.ts'

/** A connection whose agent has answered, and the end of its stream in the guest. */
async function open(): Promise<{ readonly connection: AgentConnection; readonly guest: Duplex }> {
  const [ours, guest] = duplexPair()
  const connection = new AgentConnection(() => ours)
  const ready = connection.ready()
  await turn()
  const nonce = (guest.read() as Buffer).subarray(HEADER)
  const version = Buffer.alloc(4)
  version.writeUInt32LE(AGENT_VERSION)
  guest.write(Buffer.concat([nonce, version]))
  await ready
  return { connection, guest }
}

test('a reset loses the pending requests, and the agent is ready again when it has started', async () => {
  const { connection, guest } = await open()
  const onRestart = vi.fn()
  using _request = connection.request(() => {}, onRestart)
  connection.restarted()
  const onReady = vi.fn()
  const ready = connection.ready().then(onReady)
  connection.restarted()
  await turn()
  expect(onRestart).toHaveBeenCalled()
  expect(onReady).not.toHaveBeenCalled()
  guest.read()
  // The rest of an earlier transfer ends the first agent, and only the second one answers.
  guest.write(Buffer.concat([encodeFrame(HELLO, 0), encodeFrame(HELLO, 0)]))
  await turn()
  expect(onReady).not.toHaveBeenCalled()
  const [ping] = [guest.read() as Buffer]
  const version = Buffer.alloc(4)
  version.writeUInt32LE(AGENT_VERSION)
  guest.write(encodeFrame(PONG, 0, Buffer.concat([Buffer.alloc(16, 1), version])))
  await turn()
  expect(onReady).not.toHaveBeenCalled()
  guest.write(encodeFrame(PONG, 0, Buffer.concat([ping.subarray(HEADER, HEADER + 16), version])))
  await ready
})

test('a frame that is too long loses the pending requests, and nothing after it is read', async () => {
  const { connection, guest } = await open()
  const [onFrame, onRestart] = [vi.fn(), vi.fn()]
  using request = connection.request(onFrame, onRestart)
  const endless = encodeFrame(OUT, request.id)
  endless.writeUInt32LE(LONGEST_RECEIVED + 1)
  guest.write(Buffer.concat([encodeFrame(OUT, request.id, Buffer.from('a')), endless]))
  guest.write(encodeFrame(OUT, request.id, Buffer.from('b')))
  await turn()
  expect(onRestart).toHaveBeenCalledOnce()
  expect(onFrame.mock.calls.length).toBeLessThanOrEqual(1)
})
