import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { RunningMachine } from '../running-machine.ts'
import { saveMachine } from './save-machine.ts'
import type { StoppedGuest } from './stopped-machine.ts'

test.each([
  ['/nonexistent/saved/machine.coldboot', 'FILE_MISSING', 'save: `directory` does not exist: /nonexistent/saved'],
  ['', 'INVALID_OPTION', 'save: `file` must be a path, but is ""'],
])('the file "%s" is refused before the machine is stopped', async (file, code, shortMessage) => {
  const saving = saveMachine({} as RunningMachine, {} as StoppedGuest, file, {})
  await expect(saving).rejects.toMatchObject({ code, shortMessage })
})

test.each([0.5, 2 ** 40])('accepts a timeout of %s ms, and keeps other files beside the saved one', async (timeout) => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'machine.coldboot')
  writeFileSync(`${file}.part`, 'of the user')
  const running = {
    spec: { timeoutMultiplier: 1.1 },
    machine: { qmp: { execute: () => Promise.reject(new Error('QEMU was asked')) } },
  } as unknown as RunningMachine
  await expect(saveMachine(running, {} as StoppedGuest, file, { timeout })).rejects.toThrow('QEMU was asked')
  expect(readFileSync(`${file}.part`, 'utf8')).toBe('of the user')
})
