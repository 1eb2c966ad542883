import { type Duplex, duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { incomingState, loadState } from './migration.ts'
import { QmpClient } from './qmp.ts'

test('passes the saved state as a descriptor to an old QEMU, and as a descriptor set to a new one', () => {
  expect(incomingState('7.2.22')).toEqual({ args: [], uri: 'fd:6' })
  expect(incomingState('9.0.4')).toEqual({ args: [], uri: 'fd:6' })
  const set = { args: ['-add-fd', 'fd=6,set=1'], uri: 'file:/dev/fdset/1' }
  expect(incomingState('9.1.0')).toEqual(set)
  expect(incomingState('11.1.3')).toEqual(set)
})

/** A client of a fake QEMU that accepts the commands of a migration, and then calls `next`. */
function accepting(next: (qemu: Duplex) => void): QmpClient {
  const [ours, qemu] = duplexPair()
  qemu.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      const { execute, id } = JSON.parse(line) as { execute: string; id: number }
      qemu.write(`${JSON.stringify({ id, return: {} })}\n`)
      if (execute === 'migrate-incoming') next(qemu)
    }
  })
  return new QmpClient(ours)
}

test('a transfer resolves when QEMU has completed it', async () => {
  const event = { event: 'MIGRATION', data: { status: 'completed' } }
  const qmp = accepting((qemu) => qemu.write(`${JSON.stringify(event)}\n`))
  await expect(loadState(qmp, 'fd:6', 'in-file')).resolves.toBeUndefined()
})

test('a transfer rejects when QEMU ends after it accepted the commands', async () => {
  const qmp = accepting((qemu) => qemu.end())
  await expect(loadState(qmp, 'fd:6', 'in-file')).rejects.toThrow(expect.objectContaining({ code: 'MACHINE_EXITED' }))
})
