import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { quickGuest } from '../../test/quick-guest.ts'
import { arbitraryArgs } from '../devices/arbitrary-args.ts'
import { liveMachines } from '../host/machines/live-machines.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { VM } from './vm.ts'

let guest: MachineOptions
const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
beforeAll(async () => {
  guest = await linuxGuest()
}, 300_000)
afterAll(() => {
  rmSync(folder, { recursive: true })
  expect(liveMachines()).toEqual([])
})

/** A fake QEMU that reports a valid version. Its pid is in the file `<name>.pid`. */
function program(name: string, script: string): string {
  const version = 'case "$1" in --version) echo "QEMU emulator version 9.1.0"; exit;; esac'
  return executable(name, `${version}\necho $$ > "$0.pid"\n${script}`)
}

function executable(name: string, script: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return path
}

describe('a start that fails', () => {
  test('a start that fails has the output of QEMU, its exit, and the command line', async () => {
    const attempt = VM.boot({ ...guest, devices: [arbitraryArgs('-device', 'no-such-device')] })
    await expect(attempt).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(
        /exit code 1[^]*no-such-device' is not a valid device model name[^]*Command line:\n {2}\S*qemu-system/,
      ),
    })
  })

  test('a start without QEMU names the search path and how to install it', async () => {
    await expect(VM.boot({ ...guest, qemu: 'qemu-system-nowhere' })).rejects.toMatchObject({
      code: 'QEMU_NOT_FOUND',
      message: expect.stringMatching(/`qemu-system-nowhere`[^]*Install it with: /),
    })
  })

  test('a start of an old QEMU names both versions', async () => {
    const qemu = executable('old', 'echo "QEMU emulator version 6.2.0 (Debian 1:6.2)"')
    await expect(VM.boot({ ...guest, qemu })).rejects.toMatchObject({
      code: 'QEMU_TOO_OLD',
      message: expect.stringMatching(/QEMU 6\.2\.0, and 7\.2 or newer/),
    })
  })

  test('a start of a program that is not QEMU shows its output', async () => {
    const qemu = executable('other', 'echo "I am a teapot"')
    await expect(VM.boot({ ...guest, qemu })).rejects.toMatchObject({
      code: 'QEMU_TOO_OLD',
      message: expect.stringContaining('I am a teapot'),
    })
  })
})

describe('a start fails when QEMU ends', () => {
  test('a start fails when a signal ends QEMU, with its name', async () => {
    const qemu = program('crashing', 'echo "last words" >&2; kill -SEGV $$')
    await expect(VM.boot({ ...guest, qemu })).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/SIGSEGV[^]*QEMU printed:\n {2}last words\n[^]*Command line:\n {2}\S*crashing /),
    })
  })

  test('a start fails when QEMU ends with exit code 0, although no guest has powered off', async () => {
    const attempt = VM.boot({ ...guest, devices: [arbitraryArgs('-version')] })
    await expect(attempt).rejects.toMatchObject({
      code: 'START_FAILED',
      shortMessage: expect.stringMatching(/^QEMU exited during the start with exit code 0\n/),
    })
  })

  test('a start fails when QEMU ends, although a child of it keeps its sockets open', async () => {
    const fifo = join(folder, 'held')
    execFileSync('mkfifo', [fifo])
    // The other program runs until the FIFO has a writer.
    const qemu = program('leaving', `cat '${fifo}' >/dev/null 2>&1 & echo "gone" >&2; exit 9`)
    onTestFinished(() => writeFileSync(fifo, ''))
    await expect(VM.boot({ ...guest, qemu })).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/exit code 9\)\ngone\n/),
    })
  })

  test('a start fails when QEMU does not answer', async () => {
    const qemu = program('silent', 'exec sleep 1000')
    await expect(VM.boot({ ...guest, qemu, timeoutMultiplier: 0.01 })).rejects.toMatchObject({
      code: 'START_FAILED',
      shortMessage: 'QEMU did not answer within 300 ms',
    })
    expect(() => process.kill(pidOf(qemu), 0)).toThrow('ESRCH')
  })
})

describe('a start that is aborted', () => {
  test('a start that is aborted ends the QEMU that did not answer yet', async () => {
    const qemu = program('deaf', 'exec sleep 1000')
    const controller = new AbortController()
    const reason = new Error('the test is over')
    const attempt = VM.boot({ ...guest, qemu, signal: controller.signal })
    const rejected = expect(attempt).rejects.toMatchObject({
      code: 'EXPECT_ABORTED',
      shortMessage: expect.stringContaining('the test is over'),
      cause: reason,
    })
    await vi.waitFor(() => pidOf(qemu), { timeout: 60_000 })
    controller.abort(reason)
    await rejected
    expect(() => process.kill(pidOf(qemu), 0)).toThrow('ESRCH')
  })

  test('a start that is aborted before it begins spawns nothing', async () => {
    const qemu = program('unused', 'exec sleep 1000')
    const attempt = VM.boot({ ...guest, qemu, signal: AbortSignal.abort() })
    await expect(attempt).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
    expect(readdirSync(folder)).not.toContain('unused.pid')
  })
})

test('a machine runs without its log if the folder cannot be created', async () => {
  const warned = vi.spyOn(process, 'emitWarning')
  onTestFinished(() => warned.mockRestore())
  const logFile = join(folder, 'a-file', 'console.log')
  writeFileSync(join(folder, 'a-file'), '')
  await using vm = await VM.boot({ ...quickGuest(join(folder, 'quick.img')), logFile })
  await vm.ready()
  expect(warned.mock.calls.map(([message]) => String(message))).toEqual([expect.stringContaining(logFile)])
})

describe('a wait', () => {
  test('a wait with invalid options is rejected at once', async () => {
    await using vm = await VM.boot(guest)
    const misspelt = { timeOut: 5 } as object
    await expect(vm.waitForExit(misspelt)).rejects.toThrow(/Unknown option `timeOut`; did you mean `timeout`\?/)
    await expect(vm.waitForExit({ timeout: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    const signal = { aborted: false } as AbortSignal
    await expect(vm.waitForExit({ signal })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(vm.expect('x', { signal })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('a wait accepts fractions of milliseconds, and more than the longest timer', async () => {
    await using vm = await VM.boot({ ...guest, timeoutMultiplier: 1.5 })
    await expect(vm.waitForExit({ timeout: 33 })).rejects.toMatchObject({ code: 'EXPECT_TIMEOUT' })
    const wait = vm.waitForExit({ timeout: 1e13 })
    expect(await vm.close()).toBe(await wait)
  })
})

test('a program that keeps the sockets open does not delay the end of a machine', async () => {
  const fifo = join(folder, 'kept')
  execFileSync('mkfifo', [fifo])
  const qemu = program('wrapper', `cat '${fifo}' >/dev/null 2>&1 & exec qemu-system-x86_64 "$@"`)
  const vm = await VM.boot({ ...quickGuest(join(folder, 'quick.img')), qemu })
  onTestFinished(() => writeFileSync(fifo, ''))
  await vm.ready()
  const wait = expect(vm.expect('never')).rejects.toMatchObject({ code: 'EXPECT_EXITED' })
  expect(await vm.close()).toMatchObject({ reason: 'host-qmp-quit' })
  await wait
})

function pidOf(program: string): number {
  const pid = Number(execFileSync('cat', [`${program}.pid`], { encoding: 'utf8', stdio: 'pipe' }))
  expect(pid).toBeGreaterThan(0)
  return pid
}
