import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { liveMachines } from '../host/machines/live-machines.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'
import { VM } from './vm.ts'

// Fake timers of a test must not affect its machines.
let guest: MachineOptions
beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 60_000 }
}, 300_000)
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
afterAll(() => expect(liveMachines()).toEqual([]))

test('a machine boots, runs commands and ends', async () => {
  await using vm = await startReady({ ...guest, template: 'off' })
  expect((await vm.run('echo out')).stdout.toString()).toBe('out\n')
  await expect(vm.run('sleep 1000', { timeout: 200 })).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT' })
  // The first command defines the functions of the shell, which takes longer.
  await vm.run('true', { via: 'shell' })
  await expect(vm.run('sleep 1000', { timeout: 3_000, via: 'shell' })).rejects.toMatchObject({
    code: 'COMMAND_TIMEOUT',
  })
  await expect(vm.waitUntil('false', { timeout: 200 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
  await expect(vm.waitForExit({ timeout: 100 })).rejects.toMatchObject({ code: 'EXPECT_TIMEOUT' })
})

test('a machine from a template has the clock of the host', async () => {
  vi.setSystemTime(new Date('2001-02-03'))
  await using vm = await startReady(guest)
  const seconds = Number((await vm.run('date +%s')).stdout.toString())
  const host = Number(execFileSync('date', ['+%s'], { encoding: 'utf8' }))
  expect(Math.abs(host - seconds)).toBeLessThan(300)
})

test('ends a QEMU that no longer answers', async () => {
  const vm = await VM.boot(guest)
  process.kill(vm.pid, 'SIGSTOP')
  expect(await vm.close()).toMatchObject({ signal: 'SIGKILL' })
})

test('ends a QEMU that never answers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const qemu = join(folder, 'qemu')
  const script = 'case "$1" in --version) echo "QEMU emulator version 9.1.0"; exit;; esac\nexec sleep 1000'
  writeFileSync(qemu, `#!/bin/sh\n${script}\n`, { mode: 0o700 })
  await expect(VM.boot({ ...guest, qemu, timeoutMultiplier: 0.01 })).rejects.toMatchObject({
    shortMessage: expect.stringMatching(/did not answer within 300 ms/),
  })
})
