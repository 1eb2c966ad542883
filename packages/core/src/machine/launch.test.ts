import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { readEnvironment } from '../host/environment.ts'
import { ConsolePipe } from '../qemu/console-pipe.ts'
import { type MachineSpec, resolveOptions } from '../spec/machine-spec.ts'
import { discard, type Launched, launch } from './launch.ts'

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
  const qemu = join(folder, 'qemu')
  writeFileSync(qemu, '#!/bin/sh\necho QEMU emulator version 9.0.0\n', { mode: 0o700 })
  const files = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  await expect(launch({ ...spec, qemu: [qemu] }, { files })).rejects.toMatchObject({
    code: 'START_FAILED',
    shortMessage: 'The console of the machine could not be created: EMFILE',
  })
})
