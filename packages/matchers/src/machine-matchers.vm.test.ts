/** Tests the matchers with real machines. */
import { arbitraryArgs, type MachineOptions, pvpanic, VM } from '@coldboot/core'
import { startReady } from '@coldboot/core/internal'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { contextOf } from '../test/scripted-machine.ts'
import { normalizeBootLog } from './boot-log/normalize-boot-log.ts'
import { toHaveFile } from './file/to-have-file.ts'
import type { MatcherResult } from './matcher-context.ts'
import { toBoot } from './to-boot.ts'
import { toExit } from './to-exit.ts'
import { toPanic } from './to-panic.ts'
import { toPrintInOrder } from './to-print-in-order.ts'
import { toRun, toRunSuccessfully } from './to-run.ts'

const PASSES = { pass: true }
const FAILS = { pass: false }
const context = contextOf()
const not = contextOf({ isNot: true })
const CRASH = 'echo c >/proc/sysrq-trigger\n'

async function options(more: MachineOptions = {}): Promise<MachineOptions> {
  const guest = await linuxGuest({ arch: 'x86_64' })
  return { ...guest, timeout: 60_000, ...more }
}

/** A machine at its shell prompt. */
async function booted(more: MachineOptions = {}): Promise<VM> {
  const vm = await startReady(await options(more))
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** Like {@link booted}, but a panic does not end the machine. */
async function lasting(more: MachineOptions = {}): Promise<VM> {
  const vm = await booted(more)
  await vm.run('echo 0 >/proc/sys/kernel/panic')
  return vm
}

describe('a panic', () => {
  test.for([
    ['that ends the machine', () => booted()],
    ['after which the machine halts', () => lasting()],
    ['that is allowed', () => lasting({ failOn: { panic: 'allow' } })],
    ['that a device reports', () => lasting({ devices: [pvpanic()] })],
  ] as const)('%s is detected by calls before and after it', async ([, boot]) => {
    const vm = await boot()
    const waiting = toPanic.call(context, vm, { message: /sysrq triggered crash|panic device/ })
    const notWaiting = toPanic.call(not, vm, { timeout: 60_000 })
    vm.send(CRASH)
    expect(await waiting).toMatchObject(PASSES)
    expect(await notWaiting).toMatchObject(PASSES)
    expect(await toPanic.call(context, vm)).toMatchObject(PASSES)
  })

  test('fails toExit, unless its `reason` is given', async () => {
    const vm = await booted()
    const [plain, reset] = [toExit.call(context, vm), toExit.call(context, vm, { reason: 'guest-reset' })]
    vm.send(CRASH)
    expect(await plain).toMatchObject(FAILS)
    expect((await plain).message()).toContain(
      '"vm" panicked: Kernel panic - not syncing: sysrq triggered crash\nIt then ended:',
    )
    expect(await reset).toMatchObject(PASSES)
  })

  test('a panic that does not end the machine fails a pending toExit', async () => {
    const vm = await lasting()
    const exit = toExit.call(context, vm)
    vm.send(CRASH)
    const { pass, message } = await exit
    expect(pass).toBe(false)
    expect(message()).toContain('The machine did not end.')
    expect(vm.state).toBe('running')
  })
})

describe('an end', () => {
  test.for([
    ['poweroff -f\n', { code: 0, reason: 'guest-shutdown' }],
    ['reboot -f\n', { reason: 'guest-reset' }],
  ] as const)('by %j is seen', async ([command, expected]) => {
    const vm = await booted()
    expect(await toExit.call(not, vm, { timeout: 100 })).toMatchObject(FAILS)
    vm.send(command)
    expect(await toExit.call(context, vm, expected)).toMatchObject(PASSES)
    expect(await toPanic.call(not, vm)).toMatchObject(FAILS)
  })

  test('has the exit code that the guest set', async () => {
    const vm = await booted({ devices: [arbitraryArgs('-device', 'isa-debug-exit,iobase=0xf4,iosize=4')] })
    // 2 × 16 + 1
    vm.send("printf '\\020' | dd of=/dev/port bs=1 seek=244\n")
    expect(await toExit.call(context, vm, { code: 33 })).toMatchObject(PASSES)
    expect(await toExit.call(context, vm, { code: 1 })).toMatchObject({ ...FAILS, actual: { code: 33 } })
  })
})

describe('a boot', () => {
  test('is detected during and after it, and its normalized log is the same each time', async () => {
    const logs: string[] = []
    for (let boot = 0; boot < 2; boot++) {
      const vm = await VM.boot(await options())
      onTestFinished(() => vm.close().then(() => {}))
      expect(await toBoot.call(not, vm, { timeout: 1 })).toMatchObject(FAILS)
      expect(await toBoot.call(context, vm)).toMatchObject(PASSES)
      expect(await toBoot.call(context, vm, { until: /built-in shell/ })).toMatchObject(PASSES)
      expect(await toBoot.call(not, vm)).toMatchObject(PASSES)
      logs.push(normalizeBootLog(vm.output))
    }
    expect(logs[0]).toContain('BusyBox <version> (')
    expect(logs[1]).toBe(logs[0])
  })

  test('fails for a kernel without a root file system', async () => {
    const vm = await VM.boot(await options({ initramfs: undefined, agent: false }))
    onTestFinished(() => vm.close().then(() => {}))
    const failing = toBoot.call(context, vm)
    expect(await toBoot.call(not, vm, { timeout: 60_000 })).toMatchObject(FAILS)
    expect((await failing).message()).toContain('panicked')
  })
})

test('toPrintInOrder matches output in order, and reports the actual order', async () => {
  const vm = await booted()
  vm.send('echo o""ne; echo t""wo; sleep 0.1; echo th""ree\n')
  expect(await toPrintInOrder.call(context, vm, ['one', /t\wo/, 'three'])).toMatchObject(PASSES)
  vm.send('echo t""wo; echo o""ne\n')
  const { pass, actual } = await toPrintInOrder.call(context, vm, [/^one$/m, /two$/m], { timeout: 500 })
  expect(pass).toBe(false)
  expect(actual).toEqual([/two$/m, /^one$/m])
})

describe.for(['agent', 'shell'] as const)('via the %s', (via) => {
  let vm: VM
  beforeAll(async () => {
    vm = await startReady(await options())
  }, 120_000)
  afterAll(() => vm?.close())

  const judge = async (result: Promise<MatcherResult>): Promise<boolean> => (await result).pass

  test('toRun and toRunSuccessfully compare exit codes and output', async () => {
    const run = (command: string | string[], more = {}) => judge(toRun.call(context, vm, command, { via, ...more }))
    expect(await run('uname', { stdout: 'Linux' })).toBe(true)
    expect(await run(['sh', '-c', 'echo no >&2; exit 3'], { exitCode: 3, stderr: /^no$/m })).toBe(true)
    expect(await run('false')).toBe(false)
    expect(await judge(toRunSuccessfully.call(not, vm, 'false', { via }))).toBe(false)
  })

  test('toHaveFile detects existing files, and files that appear later', async () => {
    const has = (...[path, content, more]: [string, (string | RegExp | Uint8Array)?, object?]) =>
      toHaveFile.call(context, vm, path, content, { via, ...more })
    await vm.run("mkdir '/tmp/a b'; printf 'one\\ntwo\\n' >'/tmp/a b/file'; ln -s /nowhere '/tmp/a b/link'", { via })
    expect(await judge(has('/tmp/a b/file'))).toBe(true)
    expect(await judge(has('/tmp/a b/file', 'one\ntwo'))).toBe(true)
    expect(await judge(has('/tmp/a b/file', Buffer.from('one\ntwo\n')))).toBe(true)
    expect(await has('/tmp/a b/file', /three/)).toMatchObject({ pass: false, expected: /three/, actual: 'one\ntwo' })
    expect((await has('/tmp/a b/other')).message()).toContain('Content of /tmp/a b:\n  file\n  link\n')
    expect((await has('/tmp/a b/link')).message()).toContain('a symbolic link to /nowhere, which does not exist')
    expect((await has('/tmp/a b')).message()).toContain('"vm" is a directory')
    expect(await judge(toHaveFile.call(not, vm, '/tmp/late', undefined, { via, timeout: 300 }))).toBe(false)

    const there = has('/tmp/late', undefined, { timeout: 60_000 })
    await vm.run('sleep 1; echo begun >/tmp/late', { via: 'agent' })
    expect(await judge(there)).toBe(true)
    const complete = has('/tmp/late', 'begun\ndone', { timeout: 60_000 })
    await vm.run('sleep 1; echo done >>/tmp/late', { via: 'agent' })
    expect(await judge(complete)).toBe(true)
    const late = toHaveFile.call(not, vm, '/tmp/later', 'x', { via, timeout: 60_000 })
    await vm.run('echo x >/tmp/later', { via: 'agent' })
    expect(await judge(late)).toBe(true)
  })
})
