import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { readEnvironment } from '../host/environment.ts'
import { liveMachines } from '../host/machines/live-machines.ts'
import { ConsolePipe } from '../qemu/console-pipe.ts'
import { type MachineSpec, resolveOptions } from '../spec/machine-spec.ts'
import { discard, type Launched, launch, launchRestored } from './launch.ts'

let folder: string
let spec: MachineSpec
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  vi.stubEnv('TMPDIR', folder)
  const kernel = join(folder, 'vmlinuz')
  writeFileSync(kernel, '')
  spec = resolveOptions({ kernel, arch: 'x86_64', qemu: '/nowhere/qemu', accelerator: 'tcg' }, readEnvironment({}))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** A program that reports the version of QEMU, and otherwise does nothing. */
function fakeQemu(): string {
  const qemu = join(folder, 'qemu')
  const script = '#!/bin/sh\ncase "$*" in *--version*) echo QEMU emulator version 9.0.0;; *) exec sleep 1000;; esac\n'
  writeFileSync(qemu, script, { mode: 0o700 })
  return qemu
}

test.each(['win32', 'freebsd'])('on %s, a machine is refused before any file is created', async (platform) => {
  const real = Object.getOwnPropertyDescriptor(process, 'platform') ?? {}
  Object.defineProperty(process, 'platform', { ...real, value: platform })
  onTestFinished(() => void Object.defineProperty(process, 'platform', real))
  await expect(launch(spec, {})).rejects.toMatchObject({
    code: 'UNSUPPORTED_PLATFORM',
    message: expect.stringMatching(new RegExp(`^Machines cannot be started on ${platform}[^]*WSL 2`)),
  })
  expect(readdirSync(folder)).toEqual(['vmlinuz'])
})

test('warns about missing acceleration only once for several machines', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warned.mockRestore())
  const slow = { ...spec, acceleratorWarning: `this user may not open /dev/kvm (${folder})` }
  const missing = { code: 'QEMU_NOT_FOUND' }
  await expect(launch(slow, {})).rejects.toMatchObject(missing)
  await expect(launch(slow, {})).rejects.toMatchObject(missing)
  await expect(launch(spec, {})).rejects.toMatchObject(missing)
  expect(warned.mock.calls).toEqual([[slow.acceleratorWarning, 'ColdbootWarning']])
})

test('everything of a machine is released, even if its folder cannot be removed', async () => {
  const done: string[] = []
  const launched = {
    machine: { shutDown: async () => void done.push('ended') },
    directory: { remove: () => Promise.reject(new Error('EBUSY')) },
    plan: { release: async () => void done.push('released') },
    registration: { [Symbol.dispose]: () => void done.push('forgotten') },
  }
  await expect(discard(launched as unknown as Launched)).rejects.toThrow('EBUSY')
  expect(done).toEqual(['ended', 'released', 'forgotten'])
})

test('a console that cannot be created fails the start, also while the devices are prepared', async () => {
  const create = vi.spyOn(ConsolePipe, 'create').mockRejectedValue(new Error('EMFILE'))
  onTestFinished(() => create.mockRestore())
  const qemu = fakeQemu()
  const files = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  await expect(launch({ ...spec, qemu: [qemu] }, { files })).rejects.toMatchObject({
    code: 'START_FAILED',
    shortMessage: 'The console of the machine could not be created: EMFILE',
  })
})

test('an abort ends a restore to which QEMU does not answer', async () => {
  const controller = new AbortController()
  const state = join(folder, 'state')
  writeFileSync(state, '')
  const fd = openSync(state, 'r')
  onTestFinished(() => closeSync(fd))
  const restoring = launchRestored(
    { ...spec, qemu: [fakeQemu()], signal: controller.signal },
    {
      memory: { path: state, shared: false },
      restore: {
        state: { memory: 'in-file', source: fd },
        files: async () => controller.abort(new Error('the test is over')),
        changed: [],
      },
    },
  )
  await expect(restoring).rejects.toMatchObject({
    code: 'EXPECT_ABORTED',
    shortMessage: 'The start of machine "vm" was aborted: the test is over',
  })
  expect(liveMachines()).toEqual([])
})
