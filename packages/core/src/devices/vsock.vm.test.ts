import { accessSync, constants } from 'node:fs'
import { linuxGuest } from '@coldboot/guest'
import { describe, expect, onTestFinished, test } from 'vitest'
import { VM } from '../machine/vm.ts'
import { vsock } from './vsock.ts'

test('rejects a host without vhost-vsock before QEMU is started', async ({ skip }) => {
  if (hostHasVsock()) skip('this host has /dev/vhost-vsock')
  const guest = await linuxGuest()
  const start = VM.boot({ ...guest, devices: [vsock()] })
  await expect(start).rejects.toMatchObject({ name: 'OptionError', code: 'DEVICE_UNAVAILABLE' })
})

describe('a guest on a host with vhost-vsock', () => {
  test('detects the device and loads its driver', async ({ skip }) => {
    if (!hostHasVsock()) skip('this host has no /dev/vhost-vsock: modprobe vhost_vsock')
    const guest = await linuxGuest({ modules: ['vmw_vsock_virtio_transport'] })
    const device = vsock()
    const vm = await VM.boot({ ...guest, timeout: 60_000, devices: [device] })
    onTestFinished(() => vm.close().then(() => {}))
    await vm.ready()
    expect((await vm.run('ls /sys/bus/virtio/drivers/vmw_vsock_virtio_transport')).stdout).toMatch(/virtio\d/)
    await vm.run('ls -l /dev/vsock')
  })
})

function hostHasVsock(): boolean {
  try {
    accessSync('/dev/vhost-vsock', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}
