import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AskOptions, parseOptionString, qemuArgsOf } from '../../test/device-arguments.ts'
import { hostileName } from '../../test/hostile-names.ts'
import type { Architecture } from '../options/architecture.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { type BlockDeviceOptions, blockDevice } from './block-device.ts'
import { inspectDiskImage } from './disk/disk-image.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
const image = join(folder, 'disk.img')
writeFileSync(image, Buffer.alloc(1 << 20))

const overlay = [
  'driver=qcow2,cache.no-flush=on,file.driver=file,file.filename=/private/disk0.qcow2',
  `backing.driver=raw,backing.read-only=on,backing.file.driver=file,backing.file.filename=${image}`,
].join()

describe('the complete arguments', () => {
  const content = ['-blockdev', `node-name=disk0,${overlay}`]
  const readOnly = ['-blockdev', `node-name=disk0,driver=raw,read-only=on,file.driver=file,file.filename=${image}`]
  const cases: readonly [title: string, options: BlockDeviceOptions, ask: AskOptions, args: readonly string[]][] = [
    ['virtio, the default', {}, {}, [...content, '-device', 'virtio-blk-pci,drive=disk0']],
    ['virtio on s390x', {}, { arch: 's390x' }, [...content, '-device', 'virtio-blk-ccw,drive=disk0']],
    [
      'scsi',
      { interface: 'scsi', serial: 'S1', boot: true },
      {},
      [
        ...content,
        '-device',
        'virtio-scsi-pci,id=scsi0',
        '-device',
        'scsi-hd,bus=scsi0.0,drive=disk0,serial=S1,bootindex=1',
      ],
    ],
    [
      'ahci',
      { interface: 'ahci' },
      {},
      [...content, '-device', 'ahci,id=ahci0', '-device', 'ide-hd,bus=ahci0.0,drive=disk0'],
    ],
    ['nvme', { interface: 'nvme' }, {}, [...content, '-device', 'nvme,drive=disk0,serial=nvme0']],
    [
      'usb',
      { interface: 'usb' },
      {},
      [...content, '-device', 'qemu-xhci,id=usb0', '-device', 'usb-storage,bus=usb0.0,drive=disk0'],
    ],
    ['read-only', { readOnly: true }, {}, [...readOnly, '-device', 'virtio-blk-pci,drive=disk0']],
    [
      'a CD-ROM of a PC',
      { cdrom: true },
      {},
      [...readOnly, '-device', 'ahci,id=ahci0', '-device', 'ide-cd,bus=ahci0.0,drive=disk0'],
    ],
    [
      'a CD-ROM elsewhere',
      { cdrom: true },
      { arch: 'aarch64' },
      [...readOnly, '-device', 'virtio-scsi-pci,id=scsi0', '-device', 'scsi-cd,bus=scsi0.0,drive=disk0'],
    ],
    [
      'the image itself',
      { overlay: false },
      {},
      [
        ...['-blockdev', `node-name=disk0,driver=raw,file.driver=file,file.filename=${image}`],
        ...['-device', 'virtio-blk-pci,drive=disk0'],
      ],
    ],
    [
      'another one in each machine, which the guest finds by its serial number',
      { perMachine: true },
      {},
      [
        ...content,
        ...['-device', 'virtio-scsi-pci,id=scsi0', '-device', 'scsi-hd,bus=scsi0.0,drive=disk0,serial=COLDBOOT0'],
      ],
    ],
    [
      "in a person's shell, where QEMU makes the layer",
      {},
      { wiring: 'standalone' },
      [
        ...['-drive', `if=none,id=disk0,format=raw,snapshot=on,file.driver=file,file.filename=${image}`],
        ...['-device', 'virtio-blk-pci,drive=disk0'],
      ],
    ],
  ]
  test.each(cases)('%s', (_title, options, ask, args) => {
    expect(qemuArgsOf(blockDevice(image, options), ask)).toEqual(args)
  })

  test('is bootable, except with perMachine', () => {
    expect(blockDevice(image).bootable).toBe(true)
    expect(blockDevice(image, { perMachine: true }).bootable).toBe(false)
  })

  test('two disks have separate ids and layers', () => {
    const args = qemuArgsOf([blockDevice(image), blockDevice(image)]).filter((arg) => arg.startsWith('node-name'))
    const filename = (arg = '') => parseOptionString(arg)['file.filename']
    expect(args.map(filename)).toEqual(['/private/disk0.qcow2', '/private/disk1.qcow2'])
  })
})

test('prepares a layer with the size of the image, and nothing without `overlay`', async () => {
  const directory = mkdtempSync(join(folder, 'private-'))
  const { signal } = new AbortController()
  await blockDevice(image).prepare?.({ arch: 'x86_64', machine: 'pc', directory, position: 3, signal })
  expect(inspectDiskImage(join(directory, 'disk3.qcow2')).virtualSize).toBe(1 << 20)
  expect(blockDevice(image, { overlay: false })).not.toHaveProperty('prepare')
  expect(existsSync(join(directory, 'disk0.qcow2'))).toBe(false)
})

test('passes any image name unchanged and without additional options', () => {
  fc.assert(
    fc.property(hostileName, fc.constantFrom('inherited', 'standalone'), fc.boolean(), (name, wiring, readOnly) => {
      const path = join(folder, name)
      writeFileSync(path, '')
      const parsed = (file: string) =>
        parseOptionString(qemuArgsOf(blockDevice(file, { readOnly }), { wiring })[1] ?? '')
      const plain = Object.entries(parsed(image)).map(([key, value]) => [key, value === image ? path : value])
      expect(parsed(path)).toEqual(Object.fromEntries(plain))
      expect(Object.values(parsed(path))).toContain(path)
    }),
  )
})

describe('refused', () => {
  const refused: readonly [title: string, options: object, message: RegExp][] = [
    ['a layer for a read-only disk', { readOnly: true, overlay: true }, /`overlay` and `readOnly` cannot be combined/],
    [
      'a CD-ROM that is written to',
      { cdrom: true, readOnly: false },
      /`cdrom` and `readOnly: false` cannot be combined/,
    ],
    ['an unknown interface', { interface: 'ide' }, /`interface` must be one of virtio, scsi, ahci, nvme, usb/],
    ['an unknown format', { format: 'iso' }, /`format` must be one of raw/],
    ['a serial number with an option', { serial: 'a,b=c' }, /`serial` must be 1 to 20/],
    ['a long serial number', { serial: 'x'.repeat(21) }, /`serial`/],
    ['`perMachine` with `boot`', { perMachine: true, boot: true }, /`boot` and `perMachine` cannot be combined/],
    [
      '`perMachine` on virtio',
      { perMachine: true, interface: 'virtio' },
      /`perMachine` and `interface: 'virtio'` cannot be combined/,
    ],
    ['an unknown option', { readonly: true }, /blockDevice: Unknown option `readonly`; did you mean `readOnly`\?/],
  ]
  test.each(refused)('%s', (_title, options, message) => {
    expect(() => blockDevice(image, options)).toThrow(message)
  })

  test('a missing image, and a directory', () => {
    expect(() => blockDevice('/nonexistent')).toThrow(/`blockDevice` does not exist: \/nonexistent/)
    expect(() => blockDevice(folder)).toThrow(/`blockDevice` is a directory/)
  })

  test('writing to an image that this user may not write to', ({ skip }) => {
    if (process.getuid?.() === 0) skip('root writes to every file')
    const locked = join(folder, 'locked.img')
    writeFileSync(locked, '')
    chmodSync(locked, 0o400)
    expect(() => blockDevice(locked, { overlay: false })).toThrow(/is not writable by this user/)
  })

  const machine = (arch: Architecture, ...disks: BlockDeviceOptions[]) =>
    resolveOptions({ arch, devices: disks.map((options) => blockDevice(image, options)) })

  test('interfaces that the machine or the drive does not support', () => {
    expect(() => machine('s390x', { interface: 'nvme' })).toThrow(/s390x machines have no nvme\nUse `virtio` or `scsi`/)
    expect(() => machine('x86_64', { interface: 'usb', cdrom: true })).toThrow(/no CD-ROM drives on usb/)
    expect(() => machine('x86_64', { interface: 'ahci', readOnly: true })).toThrow(/SATA disk cannot be read-only/)
    expect(machine('s390x', { interface: 'scsi' }, { cdrom: true }).devices).toHaveLength(2)
  })

  test('two disks with boot', () => {
    expect(() => machine('x86_64', { boot: true }, { boot: true })).toThrow(/both have boot first/)
  })
})

test('a machine without a kernel boots from it', () => {
  expect(resolveOptions({ devices: [blockDevice(image)] }).kernel).toBeUndefined()
})
