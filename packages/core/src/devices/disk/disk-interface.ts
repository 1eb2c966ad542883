/** Builds the arguments for controllers and drives of disks, for each interface. */

import { OptionError } from '../../errors.ts'
import { ARCHITECTURES, type Architecture } from '../../options/architecture.ts'
import type { DeviceContext } from '../device.ts'
import { optionString } from '../helpers/option-string.ts'

/** Interfaces of disks. */
export const DISK_INTERFACES: readonly ['virtio', 'scsi', 'ahci', 'nvme', 'usb'] = [
  'virtio',
  'scsi',
  'ahci',
  'nvme',
  'usb',
]

/**
 * `virtio`: virtio-blk, `/dev/vda`. `scsi`: virtio-scsi, `/dev/sda`. `ahci`: SATA, `/dev/sda`. `nvme`: `/dev/nvme0n1`.
 * `usb`: a stick on USB 3, `/dev/sda`, found a second after the others.
 */
export type DiskInterface = (typeof DISK_INTERFACES)[number]

/** A disk to connect. */
export interface DiskFrontend {
  readonly interface: DiskInterface
  /** Id of the content. */
  readonly drive: string
  readonly cdrom: boolean
  readonly serial: string | undefined
  /** Whether the firmware tries this disk first. */
  readonly bootFirst: boolean
}

/** The default interface of a disk or a CD-ROM drive. Firmware and installers find CD-ROMs on it. */
export function defaultInterface(arch: Architecture, cdrom: boolean): DiskInterface {
  if (!cdrom) return 'virtio'
  return arch === 'x86_64' || arch === 'i386' ? 'ahci' : 'scsi'
}

/**
 * @param owner name of the device, for errors
 * @throws OptionError `INVALID_OPTION` when the architecture does not have the interface, or when the interface does
 * not support the drive
 */
export function checkInterface(
  owner: string,
  arch: Architecture,
  kind: DiskInterface,
  { cdrom, readOnly }: { readonly cdrom: boolean; readonly readOnly: boolean },
): void {
  // Only CCW devices: QEMU's s390x machine also has PCI, but firmware and stock kernels do not search for disks there.
  if (ARCHITECTURES[arch].virtioTransport === 'ccw' && kind !== 'virtio' && kind !== 'scsi') {
    throw new OptionError('INVALID_OPTION', `${owner}: ${arch} machines have no ${kind}`, {
      hint: 'Use `virtio` or `scsi`.',
    })
  }
  if (cdrom && kind !== 'ahci' && kind !== 'scsi') {
    throw new OptionError('INVALID_OPTION', `${owner}: there are no CD-ROM drives on ${kind}`, {
      hint: 'Use `ahci` or `scsi`, or remove `interface`.',
    })
  }
  if (kind === 'ahci' && readOnly && !cdrom) {
    throw new OptionError('INVALID_OPTION', `${owner}: a SATA disk cannot be read-only`, {
      hint: 'Remove `readOnly` (the image is not written to anyway), or use another interface.',
    })
  }
}

/** Arguments for the controller and the drive on it. */
export function frontendArgs(context: DeviceContext, disk: DiskFrontend): readonly string[] {
  const { drive, cdrom, serial } = disk
  const bootindex = disk.bootFirst ? 1 : undefined
  const transport = ARCHITECTURES[context.arch].virtioTransport
  const on = (controller: string, prefix: string, model: string): readonly string[] => {
    const id = context.id(prefix)
    return [
      ...['-device', optionString(controller, { id })],
      ...['-device', optionString(model, { bus: `${id}.0`, drive, serial, bootindex })],
    ]
  }
  switch (disk.interface) {
    case 'virtio':
      return ['-device', optionString(`virtio-blk-${transport}`, { drive, serial, bootindex })]
    case 'scsi':
      return on(`virtio-scsi-${transport}`, 'scsi', cdrom ? 'scsi-cd' : 'scsi-hd')
    case 'ahci':
      return on('ahci', 'ahci', cdrom ? 'ide-cd' : 'ide-hd')
    case 'nvme':
      // The NVMe model of QEMU requires a serial number.
      return ['-device', optionString('nvme', { drive, serial: serial ?? context.id('nvme'), bootindex })]
    case 'usb':
      return on('qemu-xhci', 'usb', 'usb-storage')
  }
}
