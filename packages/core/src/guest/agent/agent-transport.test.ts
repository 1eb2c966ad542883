import { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { CommandOutcome } from '../command-transport.ts'
import { AgentConnection } from './agent-connection.ts'
import {
  AGENT_VERSION,
  EXEC,
  encodeFrame,
  FrameReader,
  HEADER,
  HELLO,
  INPUT,
  KILL,
  PING,
  WRITE,
} from './agent-frames.ts'
import { AgentTransport } from './agent-transport.ts'

/** A guest that answers the ping, and reads only `frames` further frames. */
function guest({ reads = Infinity, over = new Promise<never>(() => {}) } = {}) {
  const types: number[] = []
  const waits: { readonly type: number; readonly resolve: () => void }[] = []
  const reader = new FrameReader()
  let resume = (): void => {}
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      for (const { type } of reader.push(chunk)) {
        types.push(type)
        for (const wait of waits) if (wait.type === type) wait.resolve()
        if (type === PING) {
          const version = Buffer.alloc(4)
          version.writeUInt32LE(AGENT_VERSION)
          stream.push(Buffer.concat([chunk.subarray(HEADER), version]))
        }
      }
      if (types.length <= reads) done()
      else resume = done
    },
  })
  const connection = new AgentConnection(() => stream)
  const transport = new AgentTransport({ connection, scale: (milliseconds) => milliseconds, over })
  const run = (request: { command?: string; signal?: AbortSignal; timeoutMs?: number }): Promise<CommandOutcome> =>
    transport.run({
      command: 'cat',
      input: Buffer.alloc(2_000_000),
      cwd: undefined,
      env: {},
      timeoutMs: 60_000,
      ...request,
    } as Parameters<AgentTransport['run']>[0])
  const restart = (): void => void stream.push(encodeFrame(HELLO, 0))
  const arrived = (type: number): Promise<void> => new Promise((resolve) => waits.push({ type, resolve }))
  return { run, types, arrived, restart, resume: () => resume() }
}

test('a timeout ends a command whose input the guest does not read, and removes the input', async () => {
  const { run, types, resume } = guest({ reads: 1 })
  const { failure } = await run({ timeoutMs: 5 })
  expect(failure?.code).toBe('COMMAND_TIMEOUT')
  expect(failure?.message).toMatch(/^was not started: /)
  resume()
  await turn()
  expect(types).toEqual([PING, INPUT, KILL])
})

test('an abort ends a command whose input the guest does not read', async () => {
  const { run } = guest({ reads: 1 })
  const ends = new AbortController()
  const running = run({ signal: ends.signal })
  await turn()
  ends.abort(new Error('enough'))
  expect((await running).failure).toMatchObject({ code: 'COMMAND_ABORTED', message: expect.stringContaining('enough') })
})

test('the end of the machine ends a command whose input the guest does not read', async () => {
  const over = Promise.withResolvers<never>()
  const { run } = guest({ reads: 1, over: over.promise })
  const running = run({})
  await turn()
  over.resolve({ code: 'MACHINE_EXITED', how: 'the machine ended' } as never)
  expect((await running).failure?.message).toBe('was not started when the machine ended')
})

test('a restart of the agent fails a command whose input or text is being sent', async () => {
  for (const [command, type] of [
    ['cat', INPUT],
    [`: ${'x'.repeat(200_000)}`, WRITE],
  ] as const) {
    const { run, arrived, restart } = guest({ reads: 1 })
    const sending = arrived(type)
    const running = run({ command })
    await sending
    restart()
    expect((await running).failure).toEqual({
      code: 'COMMAND_LOST',
      message: 'was not started: the agent in the guest was restarted',
    })
  }
})

test('sends all of the input before the command', async () => {
  const { run, types, arrived, restart } = guest()
  const started = arrived(EXEC)
  const running = run({})
  await started
  expect(types).toEqual([PING, INPUT, INPUT, INPUT, INPUT, EXEC])
  restart()
  expect((await running).failure).toMatchObject({ message: expect.stringMatching(/^was lost/) })
})
