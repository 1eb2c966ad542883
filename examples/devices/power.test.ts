import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blockDevice } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { expect, test as machines } from '@coldboot/vitest'

const test = machines.extend<{ disk: string }>({
  disk: async ({ onTestFinished }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'power-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'disk.img'), Buffer.alloc(32 << 20))
    await use(join(folder, 'disk.img'))
  },
})

const MOUNT = 'mkdir /mnt/disk && mount -t ext4 /dev/vda /mnt/disk'

test('keeps flushed data through a power cut', async ({ bootVM, disk }) => {
  const guest = await linuxGuest({ modules: ['virtio_blk', 'ext4'] })
  const vm = await bootVM({ ...guest, devices: [blockDevice(disk)] })
  await vm.run(`mke2fs /dev/vda && ${MOUNT}`)
  await vm.run('echo paid >/mnt/disk/order && sync && echo shipped >/mnt/disk/order')
  await vm.powerCut()

  await vm.powerOn()
  await vm.run(MOUNT)
  await expect(vm).toHaveFile('/mnt/disk/order', 'paid')
})
