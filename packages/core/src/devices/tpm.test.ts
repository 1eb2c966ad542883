import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { FIRST_FD, qemuArgsOf } from '../../test/device-arguments.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { type TpmOptions, tpm } from './tpm.ts'
import { uefi } from './uefi.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const image = join(folder, 'image')
writeFileSync(image, Buffer.alloc(4096))

const shared = ['-chardev', `socket,id=tpm-socket0,fd=${FIRST_FD}`, '-tpmdev', 'emulator,id=tpm0,chardev=tpm-socket0']

test.each([
  ['x86_64', undefined, 'tpm-crb'],
  ['x86_64', 'tis', 'tpm-tis'],
  ['i386', 'crb', 'tpm-crb'],
  ['aarch64', undefined, 'tpm-tis-device'],
] as const)('the complete arguments for %s and the model %s', (arch, model, device) => {
  expect(qemuArgsOf(tpm({ model }), { arch })).toEqual([...shared, '-device', `${device},tpmdev=tpm0`])
})

test('a command line for a shell has no TPM, because it starts only QEMU', () => {
  expect(qemuArgsOf(tpm(), { wiring: 'standalone' })).toEqual([])
})

test('swtpm keeps its state in the private directory of the machine, or in that of the option', () => {
  const context = { directory: '/private, ours', position: 2, fd: 4 }
  const argv = ['swtpm', 'socket', '--tpm2', '--tpmstate', 'dir=.,mode=0600', '--ctrl', 'type=unixio,clientfd=4']
  expect(tpm().helper?.(context)).toEqual({
    argv: [...argv, '--terminate'],
    cwd: '/private, ours/tpm2',
    hint: expect.stringContaining('`swtpm`'),
  })
  expect(tpm({ state: folder }).helper?.(context).cwd).toBe(folder)
})

test.each<[TpmOptions, RegExp]>([
  [{ version: '1.2' as '2.0' }, /`version` must be one of 2\.0/],
  [{ model: 'spapr' as 'tis' }, /`model` must be one of crb, tis/],
  [{ state: join(folder, 'missing') }, /tpm: `state` does not exist/],
  [{ states: folder } as TpmOptions, /unknown option `states`/i],
])('the options %j are refused', (options, message) => {
  expect(() => tpm(options)).toThrow(message)
})

const machine = (options: MachineOptions) => resolveOptions({ arch: 'x86_64', accelerator: 'tcg', ...options })
const boots = { kernel: image }

test.each<[string, MachineOptions, RegExp]>([
  ['a kernel with the default firmware', boots, /a PC with a TPM cannot boot `kernel` with its default firmware/],
  ['a kernel with qboot', { ...boots, firmware: 'qboot.rom' }, /cannot boot `kernel`/],
  ['two of them', { firmware: 'bios-256k.bin', devices: [tpm()] }, /both have device tpm/],
  [
    'an architecture without one',
    { ...boots, arch: 's390x' },
    /only x86_64, i386, aarch64 and arm machines can have a TPM, not s390x/,
  ],
  ['a model of PCs', { ...boots, arch: 'aarch64', devices: [] }, /'crb', but aarch64 machines only have 'tis'/],
])('is refused with %s', (title, options, message) => {
  const device = tpm(title === 'a model of PCs' ? { model: 'crb' } : {})
  expect(() => machine({ ...options, devices: [...(options.devices ?? []), device] })).toThrow(message)
})

test.each<[string, MachineOptions]>([
  ['UEFI', { ...boots, devices: [uefi({ code: image, variables: image })] }],
  ['a firmware file', { ...boots, firmware: image }],
  ['the default firmware and no kernel', { firmware: 'bios-256k.bin' }],
  ['another architecture', { ...boots, arch: 'aarch64' }],
])('is accepted with %s', (_title, options) => {
  expect(() => machine({ ...options, devices: [...(options.devices ?? []), tpm()] })).not.toThrow()
})

test('a machine with a lasting TPM state is not saved', () => {
  expect(tpm()).toMatchObject({ unsavable: undefined, untemplatable: undefined })
  const kept = expect.stringContaining('`state`')
  expect(tpm({ state: folder })).toMatchObject({ unsavable: kept, untemplatable: kept, portable: undefined })
})
