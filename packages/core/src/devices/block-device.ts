/**
 * Disk from an image file. The image is opened read-only by default: writes of the guest go to a layer in the private
 * directory of the machine.
 */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { OptionError } from '../errors.ts'
import type { Architecture } from '../options/architecture.ts'
import { type CheckTable, checkTable, isFlag, isString, oneOf } from '../options/checked-options.ts'
import { checkPath, requireFile } from '../options/required-path.ts'
import type { Device, DeviceContext } from './device.ts'
import { contentArgs, createLayer, type DiskContent } from './disk/disk-content.ts'
import { DISK_FORMATS, type DiskFormat, inspectDiskImage } from './disk/disk-image.ts'
import {
  checkInterface,
  DISK_INTERFACES,
  type DiskInterface,
  defaultInterface,
  frontendArgs,
} from './disk/disk-interface.ts'
import { reconnected } from './disk/reconnected-disk.ts'
import { BOOTS_FIRST } from './helpers/nic-model.ts'
import { plainOptions } from './helpers/plain-options.ts'

/** Options of {@link blockDevice}. */
export interface BlockDeviceOptions {
  /**
   * Format of the image. Required for an image that refers to other files, such as a backing file.
   * @default by the file header; raw if its format is unknown
   */
  readonly format?: DiskFormat
  /** Interface of the disk. @default 'virtio'; for a CD-ROM 'ahci' on PCs, else 'scsi' */
  readonly interface?: DiskInterface
  /**
   * Whether writes of the guest go to a temporary layer over the image. If false, they go to the image itself.
   * @default true
   */
  readonly overlay?: boolean
  /** Whether the disk is write-protected for the guest. @default false; true for a CD-ROM */
  readonly readOnly?: boolean
  /** Whether the disk is a disc in a CD-ROM drive. @default false */
  readonly cdrom?: boolean
  /** Serial number that the guest sees, 1 to 20 letters, digits, `.`, `_`, `-`. @default none */
  readonly serial?: string
  /**
   * Whether the firmware tries this disk first; at most one disk per machine. Otherwise, the firmware uses its own
   * order.
   * @default false
   */
  readonly boot?: boolean
  /**
   * Whether machines of one template may have different images of the same format, for data that differs between tests.
   * After the restore, the guest detects the disk again, as after a replacement. The guest needs the agent of
   * `@coldboot/guest`; without the agent, each image has its own template. Implies `interface: 'scsi'`, and cannot be
   * combined with `boot`. @default false
   */
  readonly perMachine?: boolean
}

const CHECKS: CheckTable<Required<BlockDeviceOptions>> = {
  format: oneOf(DISK_FORMATS),
  interface: oneOf(DISK_INTERFACES),
  overlay: isFlag,
  readOnly: isFlag,
  cdrom: isFlag,
  // 20 is VIRTIO_BLK_ID_BYTES. The other interfaces allow at least as many characters.
  serial: ['1 to 20 letters, digits, ".", "_", "-"', (value) => isString(value) && /^[\w.-]{1,20}$/.test(value)],
  boot: isFlag,
  perMachine: isFlag,
}

/**
 * Adds a disk. A machine without `kernel` boots from it.
 *
 * @param image path of a raw, qcow2, vmdk, vdi or vhdx image, or of an ISO
 * @throws OptionError `FILE_MISSING`; `INVALID_OPTION`, also when the image has another format, is compressed, or
 * refers to other files without `format`; `UNKNOWN_OPTION`
 */
export function blockDevice(image: string, options: BlockDeviceOptions = {}): Device {
  checkTable('blockDevice', options, CHECKS)
  const { cdrom = false, readOnly = cdrom, overlay = !readOnly, boot = false, perMachine = false } = options
  checkPath('blockDevice', image)
  const path = requireFile('blockDevice', image) ?? ''
  if (overlay && readOnly)
    throw contradiction('`overlay` and `readOnly`', 'A read-only disk needs no overlay. Remove one of the two options.')
  if (cdrom && !readOnly) throw contradiction('`cdrom` and `readOnly: false`', 'A CD-ROM is read-only.')
  if (boot && perMachine)
    throw contradiction('`boot` and `perMachine`', 'The disk that a machine boots from is part of its template.')
  if (perMachine && options.interface !== undefined && options.interface !== 'scsi') {
    throw contradiction(`\`perMachine\` and \`interface: '${options.interface}'\``, 'Leave `interface` out.')
  }
  if (!overlay && !readOnly) requireWritable(path)
  const { format, virtualSize } = inspectDiskImage(path, options.format)

  const content: DiskContent = { path, format, access: overlay ? 'overlay' : readOnly ? 'read-only' : 'read-write' }
  const interfaceFor = (arch: Architecture): DiskInterface =>
    options.interface ?? (perMachine ? 'scsi' : defaultInterface(arch, cdrom))
  // The guest finds the disk by its serial number, because the names of disks are not stable.
  const serialAt = (position: number): string | undefined =>
    options.serial ?? (perMachine ? `COLDBOOT${position}` : undefined)
  const device: Device = {
    name: 'blockDevice',
    portable: { kind: 'blockDevice', options: { ...plainOptions(options), format, image: path } },
    unsavable: content.access === 'read-write' ? `writes to ${path} itself (\`overlay: false\`)` : undefined,
    claims: boot ? [BOOTS_FIRST] : [],
    bootable: !perMachine,
    validate: ({ arch }) => checkInterface('blockDevice', arch, interfaceFor(arch), { cdrom, readOnly }),
    qemuArgs(context) {
      const id = context.id('disk')
      const layer = context.standalone ? undefined : layerPath(context)
      const serial = serialAt(context.position)
      const frontend = { interface: interfaceFor(context.arch), drive: id, cdrom, serial, bootFirst: boot }
      return [...contentArgs(content, { id, layer }), ...frontendArgs(context, frontend)]
    },
    attachAfterRestore: perMachine
      ? { paths: [path], refresh: ({ position }) => refreshedDisk(serialAt(position) ?? '') }
      : undefined,
  }
  return overlay ? { ...device, prepare: (context) => createLayer(layerPath(context), virtualSize) } : device
}

// The guest caches the size, the partitions and some sectors of the saved disk, so the disk must be detected again. The
// serial number is in page 80h of the vital product data, after a header of four bytes (SPC, "Unit Serial Number").
function refreshedDisk(serial: string): string {
  return `set -e
found() {
  for disk in /sys/class/scsi_device/*/device; do
    if [ "$(tail -c +5 "$disk/vpd_pg80" 2>/dev/null)" = '${serial}' ]; then return; fi
  done
  return 1
}
node() { echo "/dev/$(ls "$disk/block" 2>/dev/null)"; }
found || { echo 'The guest has no SCSI disk with the serial number ${serial}'; exit 1; }
${reconnected('$disk')}
tries=0
until { found && [ -b "$(node)" ]; } || [ $((tries += 1)) -gt 500 ]; do sleep 0.01; done
# It may be there before its partitions are.
blockdev --rereadpt "$(node)" 2>/dev/null || :`
}

function layerPath({ directory, position }: Pick<DeviceContext, 'directory' | 'position'>): string {
  return join(directory, `disk${position}.qcow2`)
}

function requireWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK)
  } catch (cause) {
    throw new OptionError('FILE_MISSING', `\`blockDevice\` is not writable by this user: ${path}`, {
      hint: 'Remove `overlay: false`: the guest then writes to a temporary layer.',
      cause,
    })
  }
}

function contradiction(what: string, hint: string): OptionError {
  return new OptionError('INVALID_OPTION', `blockDevice: ${what} cannot be combined`, { hint })
}
