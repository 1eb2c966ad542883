import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { playMachine } from '../../test/attachment.ts'
import { qemuArgsOf } from '../../test/device-arguments.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import type { PrepareContext } from './device.ts'
import { requireHostDevice, vsock } from './vsock.ts'

const prepareContext = {} as PrepareContext

test('the complete arguments', () => {
  expect(qemuArgsOf(vsock({ cid: 42 }))).toEqual(['-device', 'vhost-vsock-pci,id=vsock0,guest-cid=42'])
  expect(qemuArgsOf(vsock({ cid: 42 }), { arch: 's390x' })).toEqual([
    '-device',
    'vhost-vsock-ccw,id=vsock0,guest-cid=42',
  ])
})

test('chooses unique numbers', () => {
  const numbers = Array.from({ length: 50 }, () => vsock().cid)
  expect(new Set(numbers).size).toBe(50)
  for (const cid of numbers) expect(() => vsock({ cid })).not.toThrow()
})

test.each([2, 0, -1, 1.5, 0xffff_ffff, Number.NaN])('the number %d is refused', (cid) => {
  expect(() => vsock({ cid })).toThrow(/`cid` must be a whole number from 3 to 4294967294/)
})

test('allows one device per machine and one machine per device', async () => {
  expect(() => resolveOptions({ firmware: 'f', devices: [vsock(), vsock()] })).toThrow(/Devices vsock and vsock/)
  const device = vsock({ cid: 7 })
  const machine = playMachine()
  void device.attach?.(machine.context)
  await expect(device.prepare?.(prepareContext)).rejects.toThrow(/the running machine "vm" already has the number 7/)
  await machine.exit()
  expect(() => device.attach?.(playMachine().context)).not.toThrow()
})

test('names the kernel module on a host without it, before anything is started', async ({ skip }) => {
  expect(() => requireHostDevice('/dev/no-such-device')).toThrow(/this host has no \/dev\/no-such-device/)
  if (existsSync('/dev/vhost-vsock')) skip('this host has it')
  await expect(vsock().prepare?.(prepareContext)).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    hint: expect.stringContaining('modprobe vhost_vsock'),
  })
})
