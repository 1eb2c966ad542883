/** Tests of a TPM on real firmware: measured boot, saved machines, and the end of its program. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kernelOf, linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { debianKernel } from '../../test/debian-kernel.ts'
import { findOnPath } from '../host/find-on-path.ts'
import type { VM as RunningVM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'
import { VM } from '../vm.ts'
import { arbitraryArgs } from './arbitrary-args.ts'
import { findUefi } from './firmware/firmware-descriptors.ts'
import { tpm } from './tpm.ts'

const swtpm = findOnPath('swtpm')
const noTpm = swtpm === undefined && 'swtpm is not installed'
const noBoot =
  noTpm ||
  (findUefi('x86_64', 'pc') === undefined && 'no UEFI firmware for x86_64 is installed (ovmf)') ||
  (findOnPath('apt-get') === undefined && 'the kernel comes from Debian, by apt-get')

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A machine with stopped CPUs. */
const HALTED = { arch: 'x86_64', firmware: 'bios-256k.bin', timeout: 60_000 } as const

/** A machine whose `swtpm` keeps a FIFO open, so that a test can wait for the end of `swtpm`. */
function watchedTpm(): { readonly env: Record<string, string>; readonly gone: () => Promise<void> } {
  const place = mkdtempSync(join(folder, 'watched-'))
  const fifo = join(place, 'fifo')
  execFileSync('mkfifo', [fifo])
  const script = `#!/bin/sh\nexec 9>'${fifo}'\nexec ${swtpm} "$@"\n`
  writeFileSync(join(place, 'swtpm'), script, { mode: 0o755 })
  const reader = createReadStream(fifo)
  const ended = once(reader.resume(), 'end')
  return {
    env: { PATH: [place, process.env['PATH']].join(delimiter) },
    gone: () => ended.then(() => {}),
  }
}

test('swtpm ends with the machine', async ({ skip }) => {
  if (noTpm) return skip(noTpm)
  const { env, gone } = watchedTpm()
  const { PATH } = process.env
  Object.assign(process.env, env)
  onTestFinished(() => void Object.assign(process.env, { PATH }))
  const vm = await VM.boot({ ...HALTED, devices: [tpm({ model: 'tis' }), arbitraryArgs('-S')] })
  onTestFinished(() => vm.close().then(() => {}))
  await vm.close()
  await expect(gone()).resolves.toBeUndefined()
})

test('swtpm ends when the process of its machine is killed', async ({ skip }) => {
  if (noTpm) return skip(noTpm)
  const { env, gone } = watchedTpm()
  const script = fileURLToPath(new URL('../../test/tpm-owner.ts', import.meta.url))
  const owner = spawn(process.execPath, [script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void owner.kill('SIGKILL'))
  await once(owner.stdout, 'data')
  owner.kill('SIGKILL')
  await expect(gone()).resolves.toBeUndefined()
})

test('a TPM state that is in use is refused, with the output of swtpm', async ({ skip }) => {
  if (noTpm) return skip(noTpm)
  const state = join(folder, 'state, kept')
  mkdirSync(state)
  const options = { ...HALTED, devices: [tpm({ state }), arbitraryArgs('-S')] }
  const vm = await VM.boot(options)
  onTestFinished(() => vm.close().then(() => {}))
  await expect(VM.boot(options)).rejects.toMatchObject({
    code: 'START_FAILED',
    sections: { 'swtpm printed': expect.stringMatching(/lock/i) },
  })
  await vm.close()
  await (await VM.boot(options)).close()
  expect(readdirSync(state)).toContain('tpm2-00.permall')
})

const PCRS = [0, 4, 7, 8, 9]
/** TPM registers (PCRs) for the firmware, the kernel, and the command line and initramfs of the kernel. */
async function measured(vm: RunningVM): Promise<Readonly<Record<number, string>>> {
  const files = PCRS.map((pcr) => `/sys/class/tpm/tpm0/pcr-sha256/${pcr}`)
  const { stdout } = await vm.run(['cat', ...files])
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((value, index) => [PCRS[index], value]),
  )
}

let guest: MachineOptions
beforeAll(async () => {
  if (noBoot) return
  const kernel = await kernelOf({ deb: await debianKernel() })
  guest = { ...(await linuxGuest({ kernel })), firmware: 'uefi', timeout: 60_000, bootTimeout: 240_000 }
}, 300_000)

async function start(options: MachineOptions): Promise<RunningVM> {
  const vm = await startReady({ ...options, devices: [tpm()], template: 'required' })
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

test('firmware and guest measure their boot into the TPM, which a restored machine keeps', {
  timeout: 600_000,
}, async ({ skip }) => {
  if (noBoot) return skip(noBoot)
  // This machine is restored from its template.
  const vm = await start(guest)
  const first = await measured(vm)
  expect(first[0]).toMatch(/^[0-9A-F]{64}$/)
  expect(first[0]).not.toMatch(/^0+$/)
  // A revert restores the TPM too.
  const checkpoint = await vm.checkpoint()
  await vm.revert(checkpoint)
  expect(await measured(vm)).toEqual(first)
  const file = join(folder, 'saved.vm')
  await vm.save(file)
  await vm.close()
  const loaded = await VM.resume(file)
  onTestFinished(() => loaded.close().then(() => {}))
  expect(await measured(loaded)).toEqual(first)
  await loaded.close()
  const other = await start({ ...guest, kernelArgs: [guest.kernelArgs ?? '', 'other=words'].flat() })
  const second = await measured(other)
  expect(second[0]).toBe(first[0])
  expect([second[4], second[8], second[9]]).not.toEqual([first[4], first[8], first[9]])
})
