/** Tests that error messages name the cause of faults in real machines. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { CRASH, ELF_MACHINES, program, writeInitramfs } from '../../test/initramfs-of.ts'
import { pvpanic } from '../devices/pvpanic.ts'
import { watchdog } from '../devices/watchdog.ts'
import { ColdbootError, type ErrorCode } from '../errors.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'
import { VM } from './vm.ts'

let guest: MachineOptions
const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
beforeAll(async () => {
  guest = await linuxGuest({ arch: 'x86_64' })
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true }))

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** A machine that has just started to boot. */
async function start(options: MachineOptions = {}): Promise<VM> {
  return closing(await VM.boot({ ...guest, timeout: 60_000, ...options }))
}

/** A machine at its prompt, from a template. */
async function restore(options: MachineOptions = {}): Promise<VM> {
  return closing(await startReady({ ...guest, timeout: 60_000, ...options }))
}

async function failure(promise: Promise<unknown>, code: ErrorCode, says: RegExp): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!ColdbootError.is(error)) throw new TypeError('it did not fail', { cause: error })
  expect(error.message).toMatch(says)
  expect(error.code).toBe(code)
}

const stays = (): string => `${String(guest.kernelArgs)} panic=0`

describe('a boot with', () => {
  const initramfs = (name: string, files: Readonly<Record<string, Uint8Array | string>>): string =>
    writeInitramfs(join(folder, name), files)

  test.each<[what: string, options: () => MachineOptions, code: ErrorCode, says: RegExp]>([
    ['no initramfs', () => ({ initramfs: undefined }), 'GUEST_PANICKED', /no root file system.*set `initramfs`/],
    [
      'an initramfs without an init',
      () => ({ initramfs: initramfs('empty', { 'etc-motd': 'hello' }) }),
      'GUEST_PANICKED',
      /no root file system.*with an \/init/,
    ],
    [
      'an initramfs that is damaged',
      () => {
        const path = join(folder, 'damaged')
        writeFileSync(path, Buffer.alloc(300_000, 7))
        return { initramfs: path }
      },
      'GUEST_PANICKED',
      /could not unpack the initramfs/,
    ],
    [
      'an init of another architecture',
      () => ({ initramfs: initramfs('foreign', { init: program(ELF_MACHINES.aarch64, CRASH) }) }),
      'GUEST_PANICKED',
      /\/init cannot run on this machine \(ENOEXEC\)/,
    ],
    [
      'an init whose interpreter is missing',
      () => ({ initramfs: initramfs('script', { init: '#!/bin/sh\necho hello\n' }) }),
      'GUEST_PANICKED',
      /\/init, or the interpreter or dynamic linker that it needs, is not in the initramfs/,
    ],
    [
      'an init that crashes',
      () => ({ initramfs: initramfs('crash', { init: program(ELF_MACHINES.x86_64, CRASH) }) }),
      'GUEST_PANICKED',
      /first program \(init, process 1\) (?:crashed|was killed by signal 0x0b)/,
    ],
    [
      'an init that ends',
      () => ({ kernelArgs: `${stays()} rdinit=/bin/false` }),
      'GUEST_PANICKED',
      /first program \(init, process 1\) exited with status 0x01/,
    ],
  ])('%s', async (_what, options, code, says) => {
    const vm = await start({ kernelArgs: stays(), ...options() })
    await failure(vm.ready(), code, says)
    await failure(vm.expect('anything else'), code, says)
    await failure(vm.waitForExit(), code, /failed during `waitForExit\(\)`: Kernel panic/)
  })

  test.each<[what: string, options: () => MachineOptions, says: RegExp]>([
    ['its console elsewhere', () => ({ kernelArgs: 'quiet console=ttyS1' }), /\(0 bytes\)\n.*`console=ttyS0`/],
    ['little memory', () => ({ memory: '72M' }), /0 bytes[^]*`memory`/],
  ])('%s says that nothing was printed, and why that may be', async (_what, options, says) => {
    const vm = await start(options())
    // A timeout well before the end of the boot, because a shell without a console then ends the machine.
    const error: unknown = await vm.expect('login: ', { timeout: 500 }).catch((reason: unknown) => reason)
    expect(String(error)).toMatch(says)
  })

  test('less memory than its kernel takes is refused', async () => {
    await expect(start({ memory: '48M' })).rejects.toThrow(
      /`memory` is 48 MiB, but `kernel` and `initramfs` alone take/,
    )
  })

  test('a file that is not a kernel', async () => {
    const path = join(folder, 'text')
    writeFileSync(path, 'I am no kernel\n'.repeat(100))
    const attempt = VM.boot({ ...guest, kernel: path, initramfs: undefined }).then(async (vm) => {
      onTestFinished(() => vm.close().then(() => {}))
      await vm.expect('login: ', { timeout: 3_000 })
    })
    await expect(attempt).rejects.toMatchObject({ message: expect.stringMatching(/[kK]ernel/) })
  })
})

describe('a running machine that', () => {
  test('panics', async () => {
    const vm = await restore()
    vm.send('echo c >/proc/sysrq-trigger\n')
    await failure(vm.expect('never'), 'GUEST_PANICKED', /panicked[^]*sysrq triggered crash[^]*Call Trace/)
    expect(vm.incidents).toMatchObject([{ failure: 'panic', allowed: false }])
  })

  test('panics and restarts fails its command with the panic', async () => {
    const vm = await restore({ allowReboot: true })
    await failure(vm.run('echo c >/proc/sysrq-trigger'), 'GUEST_PANICKED', /sysrq triggered crash/)
    expect(vm.state).toBe('running')
  })

  test('panics keeps its waits if the panic is allowed', async () => {
    const vm = await restore({ failOn: { panic: 'allow' } })
    vm.send('echo c >/proc/sysrq-trigger\n')
    await failure(vm.expect('never'), 'EXPECT_EXITED', /the guest rebooted/)
    expect(vm.incidents).toMatchObject([{ failure: 'panic', allowed: true }])
  })

  test('panics with a quiet console, reported by its panic device', async () => {
    const vm = await restore({ devices: [pvpanic()] })
    vm.send('echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger\n')
    await failure(vm.expect('never'), 'GUEST_PANICKED', /panicked while "never" was awaited/)
  })

  test('runs out of memory', async () => {
    const vm = await restore({ memory: '128M' })
    vm.send('tail /dev/zero\n')
    await failure(
      vm.expect('never', { timeout: 90_000 }),
      'GUEST_OUT_OF_MEMORY',
      /killed "tail" because memory ran out/,
    )
  })

  test('is killed', async () => {
    const vm = await restore()
    const wait = failure(vm.expect('never'), 'EXPECT_EXITED', /QEMU was killed \(signal SIGKILL\)/)
    process.kill(vm.pid, 'SIGKILL')
    await wait
  })

  test('lets its watchdog run out', async () => {
    const vm = await restore({ devices: [watchdog({ action: 'pause' })] })
    vm.send('watchdog -T 2 -t 60 /dev/watchdog\n')
    await failure(vm.expect('never'), 'GUEST_HUNG', /did not reset its watchdog in time/)
  })

  test('only echoes the text of a panic keeps running', async () => {
    const vm = await restore()
    vm.send('echo "Kernel panic - not syncing: not really"; echo "Out of memory"; echo still-$((1 + 1))\n')
    await vm.expect('still-2')
    vm.send('echo here-$((2 + 2))\n')
    await vm.expect('here-4')
    expect(vm.incidents).toEqual([])
  })

  test('is idle is distinguished from one that prints other output', async () => {
    const vm = await restore()
    vm.send('sleep 100\n')
    await vm.expect('sleep 100\n')
    await failure(
      vm.expect('never', { timeout: 500 }),
      'EXPECT_TIMEOUT',
      /Nothing was printed since the wait began: the guest is idle[^]*boot: reached a shell prompt/,
    )
  })

  test('has a failing program gets a hint with the reason', async () => {
    const vm = await restore()
    const faults: readonly [command: string, says: RegExp][] = [
      ['modprobe nosuch', /The guest has no kernel module "nosuch"/],
      ['fallocate -l 1000000000000 /tmp/full 2>&1; rm -f /tmp/full', /file system in the guest is full/],
      ['frobnicate', /The guest has no command "frobnicate"/],
      ['mount -t 9p share /mnt', /no shared directory with the tag "share"/],
      ['echo NEVER', /only in upper and lower case/],
    ]
    for (const [command, says] of faults) {
      vm.send(`${command}; echo fault-$((${command.length} + 1))\n`)
      const ended = `fault-${command.length + 1}\n`
      await failure(vm.expect('never', { idleTimeout: 1_500 }), 'EXPECT_TIMEOUT', says)
      await vm.expect(`${ended}coldboot# `)
    }
  })
})
