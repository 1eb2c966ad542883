import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { bootableIso, bootSector } from '../../test/boot-images.ts'
import { run, startLinux } from '../../test/guest.ts'
import { HOSTILE_NAMES } from '../../test/hostile-names.ts'
import { findOnPath } from '../host/find-on-path.ts'
import { VM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { blockDevice } from './block-device.ts'
import { inspectDiskImage } from './disk/disk-image.ts'
import { DISK_INTERFACES } from './disk/disk-interface.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const missing = findOnPath('qemu-img') === undefined ? 'qemu-img is not installed (Debian: qemu-utils)' : undefined
const sector = bootSector('hello from the boot sector')
let files = 0

/** A bootable disk of 1 MiB. */
function disk(name = `disk${files++}.img`, content = sector): string {
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat([content], 1 << 20))
  return path
}

const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

async function start(options: MachineOptions): Promise<VM> {
  const vm = await VM.boot({ arch: 'x86_64', memory: '64M', timeout: 30_000, ...options })
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

describe('a PC without a kernel boots from a disk', () => {
  test.each(DISK_INTERFACES)(
    'a PC without a kernel boots from a disk on %s, and writes to a layer instead of the image',
    async (kind) => {
      const image = disk()
      const before = hash(image)
      const vm = await start({ devices: [blockDevice(image, { interface: kind })] })
      await vm.expect('hello from the boot sector')
      await vm.expect('sector written')
      expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-shutdown' })
      expect(hash(image)).toBe(before)
    },
  )

  test('a PC without a kernel boots from a disk and writes to the image itself with overlay: false', async () => {
    const image = disk()
    const vm = await start({ devices: [blockDevice(image, { overlay: false })] })
    await vm.expect('sector written')
    await vm.waitForExit()
    const bytes = readFileSync(image)
    expect(bytes.subarray(512, 1024).equals(sector)).toBe(true)
    expect(bytes.length).toBe(1 << 20)
  })

  test.each(['virtio', 'scsi', 'nvme', 'usb'] as const)(
    'on %s, and cannot write to it when it is read-only',
    async (kind) => {
      const vm = await start({ devices: [blockDevice(disk(), { interface: kind, readOnly: true })] })
      await vm.expect('write failed')
    },
  )

  test('a PC without a kernel boots from a CD-ROM, on its default interface', async () => {
    const image = join(folder, 'disc.iso')
    writeFileSync(image, bootableIso(sector))
    for (const options of [{}, { interface: 'scsi' }] as const) {
      const vm = await start({ devices: [blockDevice(image, { cdrom: true, ...options })] })
      await vm.expect('hello from the boot sector')
      await vm.expect('write failed')
    }
  })

  test('a PC without a kernel boots from the disk with boot: true', async () => {
    const second = disk('second.img', bootSector('hello from the second disk'))
    const vm = await start({ devices: [blockDevice(disk()), blockDevice(second, { boot: true })] })
    await vm.expect('hello from the second disk')
    await vm.waitForExit()
    expect(vm.hasPrinted('hello from the boot sector')).toBeUndefined()
  })

  test('a PC without a kernel reports if there is nothing to boot', async () => {
    const vm = await start({ devices: [blockDevice(disk('empty.img', Buffer.alloc(512)))] })
    await vm.expect('No bootable device')
  })

  test('several machines boot from one image concurrently', async () => {
    const image = disk()
    const start3 = Array.from({ length: 3 }, () => start({ devices: [blockDevice(image)] }))
    for (const vm of await Promise.all(start3)) await vm.expect('sector written')
  })

  test.for(HOSTILE_NAMES)('a PC without a kernel boots from a file with the name %j', async (name) => {
    const vm = await start({ devices: [blockDevice(disk(name))] })
    await vm.expect('sector written')
  })
})

test('Linux finds a disk on every interface, with its serial number, and writes to none of the images', async () => {
  const images = DISK_INTERFACES.map((kind) => disk(`${kind}.img`, Buffer.from(`I am on ${kind}\n`.padEnd(512, '.'))))
  const before = images.map(hash)
  const devices = DISK_INTERFACES.map((kind, index) =>
    blockDevice(images[index] ?? '', { interface: kind, serial: `S-${kind}` }),
  )
  const vm = await startLinux({ modules: ['xhci_pci', 'usb_storage', 'sd_mod'] }, devices)
  const found = await run(
    vm,
    // A USB disk appears only after the bus was enumerated.
    `until [ $(ls /sys/block | grep -c '^[vsn]') = 5 ]; do sleep 0.1; done
     for disk in $(ls /sys/block | grep '^[vsn]'); do
       head -n 1 /dev/$disk | tr -d .
       printf 'written' | dd of=/dev/$disk bs=512 seek=1 conv=fsync 2>/dev/null
       dd if=/dev/$disk bs=512 skip=1 count=1 2>/dev/null | head -c 7; echo
     done
     cat /sys/block/vda/serial; echo; tr -d ' ' </sys/block/nvme0n1/device/serial
     cat /sys/block/sd?/device/vpd_pg80 | tr -cd 'A-Za-z-'; echo`,
  )
  const lines = found.split('\n')
  for (const kind of DISK_INTERFACES) expect(lines).toContain(`I am on ${kind}`)
  expect(lines.filter((line) => line === 'written')).toHaveLength(5)
  expect(lines).toEqual(expect.arrayContaining(['S-virtio', 'S-nvme']))
  expect(found).toMatch(/S-scsi/)
  expect(found).toMatch(/S-ahci/)
  expect(images.map(hash)).toEqual(before)
})

describe('an image made by qemu-img', () => {
  const qemuImg = (...args: string[]): string => execFileSync('qemu-img', args, { encoding: 'utf8' })

  test.for(['qcow2', 'vmdk', 'vdi', 'vhdx'] as const)(
    'of the format %s is known, read and not written to',
    async (format, { skip }) => {
      if (missing !== undefined) return skip(missing)
      const image = join(folder, `disk.${format}`)
      qemuImg('convert', '-f', 'raw', '-O', format, disk(), image)
      const info = JSON.parse(qemuImg('info', '--output=json', image)) as Record<string, unknown>
      expect(inspectDiskImage(image)).toEqual({ format, virtualSize: info['virtual-size'] })
      const before = hash(image)
      const vm = await start({ devices: [blockDevice(image)] })
      await vm.expect('sector written')
      await vm.waitForExit()
      expect(hash(image)).toBe(before)
    },
  )

  test('an image made by qemu-img with a backing file is accepted if its format is given', async ({ skip }) => {
    if (missing !== undefined) return skip(missing)
    const [base, image] = [disk(), join(folder, 'child.qcow2')]
    qemuImg('create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, image)
    expect(() => blockDevice(image)).toThrow(/reads another file/)
    const vm = await start({ devices: [blockDevice(image, { format: 'qcow2' })] })
    await vm.expect('sector written')
  })
})

test.for([512, 3 * 2 ** 30, 9 * 2 ** 40])(
  'a layer over %d bytes is in order, before and after it was written to',
  async (size, { skip }) => {
    if (missing !== undefined) return skip(missing)
    const image = join(folder, 'large.img')
    writeFileSync(image, sector)
    truncateSync(image, size)
    const directory = mkdtempSync(join(folder, 'private-'))
    const layer = join(directory, 'disk0.qcow2')
    const { signal } = new AbortController()
    await blockDevice(image).prepare?.({ arch: 'x86_64', machine: 'pc', directory, position: 0, signal })
    const info = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', layer], { encoding: 'utf8' }))
    expect(info).toMatchObject({ format: 'qcow2', 'virtual-size': size })
    // `qemu-img check` exits with 0 only if there are no errors and no leaked clusters.
    execFileSync('qemu-img', ['check', '-q', layer])
    execFileSync('qemu-io', ['-c', `write -P 7 ${size - 512} 512`, '-c', `read -P 7 ${size - 512} 512`, layer])
    execFileSync('qemu-img', ['check', '-q', layer])
  },
)
