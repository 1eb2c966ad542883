import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { QmpClient, type QmpEvent } from './qmp.ts'

/** A client, and a fake QEMU at the other end of its stream, which sends the result of `reply` as the answer. */
function connect(reply: (command: { execute: string; id: number }) => object | undefined) {
  const [ours, theirs] = duplexPair()
  const client = new QmpClient(ours)
  theirs.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      const command = JSON.parse(line) as { execute: string; id: number }
      const answer = reply(command)
      if (answer) theirs.write(`${JSON.stringify({ id: command.id, ...answer })}\r\n`)
    }
  })
  const greet = () =>
    theirs.write('{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": []}}\r\n')
  return { client, ours, theirs, greet }
}

test('connect waits for the greeting and a first answer, and returns the version', async () => {
  const asked: string[] = []
  const { client, greet } = connect(({ execute }) => {
    asked.push(execute)
    return { return: {} }
  })
  greet()
  expect(await client.connect()).toBe('7.2.22')
  expect(asked).toEqual(['qmp_capabilities', 'query-status'])
})

test('matches answers to commands in any order', async () => {
  const { client, theirs } = connect(() => undefined)
  const [first, second] = [client.execute('a'), client.execute('b')]
  theirs.write('{"return": "of b", "id": 2}\n{"return": "of a", "id": 1}\n')
  expect(await Promise.all([first, second])).toEqual(['of a', 'of b'])
})

test('reads messages in any chunks, even if a character is split', async () => {
  const { client, theirs } = connect(() => undefined)
  const answer = client.execute('x')
  const bytes = Buffer.from('{"return": "größe", "id": 1}\n')
  for (const byte of bytes) theirs.write(Buffer.of(byte))
  expect(await answer).toBe('größe')
})

test('rejects a refused command with the reason of QEMU', async () => {
  const { client } = connect(() => ({ error: { class: 'GenericError', desc: 'no such device' } }))
  await expect(client.execute('device_del', { id: 'x' })).rejects.toMatchObject({
    code: 'QMP_FAILED',
    shortMessage: 'QEMU refused `device_del`: no such device',
  })
})

test('passes events with their time to every listener until it is disposed', async () => {
  const { client, theirs } = connect(() => ({ return: {} }))
  const seen: QmpEvent[] = []
  const subscription = client.onEvent((event) => seen.push(event))
  theirs.write('{"event": "STOP", "timestamp": {"seconds": 2, "microseconds": 500000}}\n')
  await client.execute('query-status')
  subscription[Symbol.dispose]()
  theirs.write('{"event": "RESUME", "timestamp": {"seconds": 3, "microseconds": 0}}\n')
  await client.execute('query-status')
  expect(seen).toEqual([{ event: 'STOP', data: {}, timestamp: 2500 }])
})

test('rejects pending and later commands at the end of the stream', async () => {
  const { client, theirs } = connect(() => undefined)
  const pending = client.execute('cont')
  const rejected = expect(pending).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
  theirs.destroy()
  await rejected
  await expect(client.execute('cont')).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
  await expect(client.connect()).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
})

test('treats a connection reset as the end of the stream', async () => {
  const { client, ours, greet } = connect(() => undefined)
  greet()
  const connecting = client.connect()
  ours.destroy(new Error('read ECONNRESET'))
  await expect(connecting).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
})

test('passes earlier and later messages to an observer', async () => {
  const { client, greet } = connect(() => ({ return: {} }))
  greet()
  await client.connect()
  const seen: string[] = []
  client.observe(({ direction, message }) =>
    seen.push(`${direction} ${typeof message['execute'] === 'string' ? message['execute'] : Object.keys(message)[0]}`),
  )
  await client.execute('stop')
  expect(seen).toEqual([
    'sent qmp_capabilities',
    'sent query-status',
    'received QMP',
    'received id',
    'received id',
    'sent stop',
    'received id',
  ])
})

test.each(['{"return": ', 'null', '5', '"text"', 'qemu: warning: something'])(
  'rejects commands with the line when QEMU sends %s',
  async (line) => {
    const { client, theirs } = connect(() => undefined)
    const pending = client.execute('stop')
    theirs.write(`${line}\n{"return": {}, "id": 1}\n`)
    const error = { code: 'QMP_FAILED', shortMessage: expect.stringContaining(JSON.stringify(line)) as string }
    await expect(pending).rejects.toMatchObject(error)
    await expect(client.execute('cont')).rejects.toMatchObject(error)
  },
)

test('does not keep a line without an end', async () => {
  const { client, theirs } = connect(() => undefined)
  const pending = client.execute('stop')
  const piece = Buffer.alloc(4 << 20, 'x')
  for (let piecesSent = 0; piecesSent <= 16; piecesSent++) theirs.write(piece)
  await expect(pending).rejects.toMatchObject({ code: 'QMP_FAILED' })
})

test('passes events with data or a time of another type', async () => {
  const { client, theirs } = connect(() => ({ return: {} }))
  const seen: QmpEvent[] = []
  client.onEvent((event) => seen.push(event))
  theirs.write('{"event": "A", "data": 5, "timestamp": null}\n{"event": null, "data": null, "timestamp": {}}\n')
  await client.execute('query-status')
  expect(seen).toEqual([
    { event: 'A', data: {}, timestamp: expect.any(Number) as number },
    { event: 'null', data: {}, timestamp: expect.any(Number) as number },
  ])
})
