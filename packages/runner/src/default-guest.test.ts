import type { Device, VMOptions } from '@coldboot/core'
import { expect, test, vi } from 'vitest'
import { withGuest } from './default-guest.ts'

const linuxGuest = vi.hoisted(() =>
  vi.fn(async () => ({ kernel: 'guest', kernelArgs: 'quiet panic=-1', memory: '256M' })),
)
vi.mock('@coldboot/guest', () => ({ linuxGuest }))

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
