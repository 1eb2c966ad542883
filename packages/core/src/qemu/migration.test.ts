import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { incomingState, loadState, sendState } from './migration.ts'
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

/** A client of a fake QEMU that refuses `migrate` for a reason, the given number of times. */
function refusing(reason: string, times: number): { readonly qmp: QmpClient; readonly refused: () => number } {
  const [ours, qemu] = duplexPair()
  let refused = 0
  qemu.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      const {
        execute,
        id,
        arguments: given,
      } = JSON.parse(line) as {
        execute: string
        id: number
        arguments?: { readonly uri?: string }
      }
      const refuses = execute === 'migrate' && refused < times
      if (refuses) refused++
      qemu.write(
        `${JSON.stringify(refuses ? { id, error: { class: 'GenericError', desc: reason } } : { id, return: {} })}\n`,
      )
      if (execute !== 'migrate' || refuses) continue
      const sent = connect(given?.uri?.slice('unix:'.length) ?? '').end()
      const event = { event: 'MIGRATION', data: { status: 'completed' } }
      sent.resume().once('close', () => qemu.write(`${JSON.stringify(event)}\n`))
    }
  })
  return { qmp: new QmpClient(ours), refused: () => refused }
}

async function sendFrom(qmp: QmpClient): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  await sendState(qmp, directory, {
    memory: 'in-file',
    receive: async (socket) => void (await once(socket.resume(), 'close')),
  })
}

test('a transfer begins when QEMU has ended a dump', async () => {
  const { qmp, refused } = refusing('Live migration disabled: dump-guest-memory in progress', 3)
  await sendFrom(qmp)
  expect(refused()).toBe(3)
})

test('a transfer that is refused for another reason is not begun again', async () => {
  const { qmp, refused } = refusing('State blocked by non-migratable device', 9)
  await expect(sendFrom(qmp)).rejects.toThrow(expect.objectContaining({ code: 'QMP_FAILED' }))
  expect(refused()).toBe(1)
})
