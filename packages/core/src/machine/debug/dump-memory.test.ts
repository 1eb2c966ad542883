import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { Turns } from '../../host/machines/turns.ts'
import { QmpClient } from '../../qemu/qmp.ts'
import type { RunningMachine } from '../running-machine.ts'
import { type DumpOptions, dumpMemory } from './dump-memory.ts'

let file: string
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  file = join(folder, 'vmcore')
})

/** Dumps a fake machine, whose QEMU accepts all commands. @param next called when QEMU has accepted the dump */
function dump(next: (qemu: Duplex) => void, options: DumpOptions = {}): Promise<number> {
  const [ours, qemu] = duplexPair()
  qemu.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      const { execute, id } = JSON.parse(line) as { execute: string; id: number }
      qemu.write(`${JSON.stringify({ id, return: { formats: [] } })}\n`)
      if (execute === 'dump-guest-memory') next(qemu)
    }
  })
  const running = {
    machine: { qmp: new QmpClient(ours) },
    spec: { name: 'vm', memoryMib: 1, timeoutMultiplier: 1 },
    state: 'running',
    turns: new Turns(),
  } as unknown as RunningMachine
  return dumpMemory(running, file, options)
}

const completed = (qemu: Duplex): void => void qemu.write('{"event": "DUMP_COMPLETED", "data": {}}\n')

test('leaves a file when QEMU has completed the dump', async () => {
  await dump(completed)
  expect(existsSync(file)).toBe(true)
})

test('accepts a timeout above the longest timer', async () => {
  await expect(dump((qemu) => setImmediate(completed, qemu), { timeout: 2 ** 40 })).resolves.toBeDefined()
})

test('rejects at once when QEMU ends during the dump', async () => {
  await expect(dump((qemu) => qemu.end())).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
  expect(existsSync(file)).toBe(false)
})
