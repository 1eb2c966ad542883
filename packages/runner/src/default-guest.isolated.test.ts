import { type Device, StartError, type VMOptions } from '@coldboot/core'
import { expect, test, vi } from 'vitest'
import { withGuest } from './default-guest.ts'

const linuxGuest = vi.hoisted(() =>
  vi.fn(async () => ({ kernel: 'guest', kernelArgs: 'quiet panic=-1', memory: '256M' })),
)
vi.mock('@coldboot/guest', () => ({ linuxGuest }))
const requireHost = vi.hoisted(() => vi.fn(async () => {}))
vi.mock(import('@coldboot/core/internal'), async (original) => Object.assign({}, await original(), { requireHost }))

test('leaves options with a kernel, firmware or bootable disk unchanged', async () => {
  const disk: Device = { name: 'disk', bootable: true, qemuArgs: () => [] }
  const complete: VMOptions[] = [{ kernel: 'vmlinuz' }, { firmware: 'bios.bin' }, { devices: [disk] }]
  for (const options of complete) expect(await withGuest(options)).toBe(options)
  expect(linuxGuest).not.toHaveBeenCalled()
})

test('adds the default guest to other options, which override it and append their kernel arguments', async () => {
  expect(await withGuest({ memory: '512M', kernelArgs: ['debug'], name: undefined })).toEqual({
    kernel: 'guest',
    memory: '512M',
    kernelArgs: ['quiet', 'panic=-1', 'debug'],
  })
})

test('prepares the default guest for the architecture of the options', async () => {
  await withGuest({ arch: 'riscv64' })
  expect(linuxGuest).toHaveBeenLastCalledWith(expect.objectContaining({ arch: 'riscv64' }))
  await withGuest({})
  expect(linuxGuest).toHaveBeenLastCalledWith(expect.objectContaining({ arch: undefined }))
})

test('looks for QEMU before it prepares the guest', async () => {
  linuxGuest.mockClear()
  requireHost.mockRejectedValueOnce(new StartError('QEMU_NOT_FOUND', 'QEMU is missing'))
  await expect(withGuest({ arch: 'riscv64', qemu: '/opt/qemu' })).rejects.toThrow('QEMU is missing')
  expect(requireHost).toHaveBeenLastCalledWith('riscv64', ['/opt/qemu'])
  expect(linuxGuest).not.toHaveBeenCalled()
})
