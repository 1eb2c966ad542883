import { createHash } from 'node:crypto'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { efiDisk } from '../../test/boot-images.ts'
import { findOnPath } from '../host/find-on-path.ts'
import { VM } from '../machine/vm.ts'
import { blockDevice } from './block-device.ts'
import { findUefi } from './firmware/firmware-descriptors.ts'

const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

for (const arch of ['x86_64', 'aarch64'] as const) {
  const firmware = findUefi(arch, arch === 'x86_64' ? 'pc' : 'virt')
  const reason =
    findOnPath(`qemu-system-${arch}`) === undefined
      ? `qemu-system-${arch} is not installed`
      : firmware === undefined && `no UEFI firmware for ${arch} is installed (ovmf, qemu-efi-aarch64)`

  test(`${arch}: UEFI boots a disk, and the variables it writes are the machine's own`, async ({ skip }) => {
    if (reason || !firmware) return skip(reason || '')
    const disk = efiDisk(arch, 'hello from UEFI')
    onTestFinished(() => rmSync(dirname(disk), { recursive: true }))
    const before = hash(firmware.variables)
    const vm = await VM.boot({ arch, firmware: 'uefi', timeout: 60_000, devices: [blockDevice(disk)] })
    onTestFinished(() => vm.close().then(() => {}))
    await vm.expect('hello from UEFI')
    // The firmware has written its boot options, so the layer has more than the four clusters of an empty one.
    expect(statSync(join(dirname(vm.logFile), 'uefi-vars0.qcow2')).size).toBeGreaterThan(4 * 65_536)
    expect(hash(firmware.variables)).toBe(before)
  })

  test(`${arch}: without a disk it shows its shell, or says that there is nothing to boot`, async ({ skip }) => {
    if (reason) return skip(reason)
    const vm = await VM.boot({ arch, firmware: 'uefi', timeout: 60_000 })
    onTestFinished(() => vm.close().then(() => {}))
    await vm.expect(['UEFI Interactive Shell', 'No bootable option or device was found'])
  })
}
