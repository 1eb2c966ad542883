/**
 * A directory of the host as a disk that the guest reads: a FAT image of it, made anew for each machine. Every guest can
 * read FAT, a boot loader too, and none can reach the directory through it.
 */
import { join } from 'node:path'
import { OptionError } from '../errors.ts'
import type { Architecture } from '../options/architecture.ts'
import { type CheckTable, checkTable, isString, oneOf } from '../options/checked-options.ts'
import { requireDirectory } from '../options/required-path.ts'
import type { Device, DeviceContext } from './device.ts'
import { makeDirectoryImage, unreadable } from './disk/directory-image.ts'
import { contentArgs, type DiskContent } from './disk/disk-content.ts'
import { checkInterface, DISK_INTERFACES, type DiskInterface, frontendArgs } from './disk/disk-interface.ts'
import { writeQcow2Overlay } from './disk/qcow2-overlay.ts'
import { reconnected } from './disk/reconnected-disk.ts'
import { directoryIdentity } from './helpers/directory-identity.ts'
import { type GuestMount, isMountPoint, mountScript, mountWord } from './helpers/guest-mount.ts'
import { plainOptions } from './helpers/plain-options.ts'

/** Options of {@link readOnlyDirectory}. */
export interface ReadOnlyDirectoryOptions {
  /**
   * What the disk is connected by, and so its name in Linux: `scsi`, `ahci` and `usb` make `/dev/sda1`, `virtio`
   * `/dev/vda1`, `nvme` `/dev/nvme0n1p1`. Several are `/dev/vda1`, `/dev/vdb1` in the order of the devices; of `sd` disks
   * Linux finds several at once and names them as they come: mount those by label (`mount LABEL=…`) or with `mountAt`.
   *
   * `ahci` is for guests without virtio. SATA has no write protection: what such a guest writes goes to a temporary layer,
   * which is gone with the machine. @default 'scsi'
   */
  readonly interface?: DiskInterface
  /**
   * Volume label, by which the guest can find it whatever the disk's name: 1 to 11 letters, digits, `_`, `-`, stored in
   * upper case; one of a machine's. @default `COLDBOOT` and the device's position among the machine's, from 0
   */
  readonly label?: string
  /**
   * Where the guest of `@coldboot/guest` mounts it before the shell starts: an absolute path without blanks, quotes and
   * colons, made when missing. Not with `usb`. @default nowhere: the guest mounts it itself
   */
  readonly mountAt?: string
}

const CHECKS: CheckTable<Required<ReadOnlyDirectoryOptions>> = {
  interface: oneOf(DISK_INTERFACES),
  // FAT's own limit; without blanks, because the label is part of a word of the kernel's command line.
  label: [
    '1 to 11 letters, digits, "_", "-", and not COLDBOOT with a number',
    (value) => isString(value) && /^(?!COLDBOOT\d+$)[\w-]{1,11}$/i.test(value),
  ],
  mountAt: isMountPoint,
}

// mkfatfs stores times in UTC, and names that are Unicode.
const MOUNT_OPTIONS = 'ro,utf8,tz=UTC'

/**
 * Gives the guest a read-only disk with what is in a directory when the machine starts: a partition with a FAT file
 * system. Mount it with `mount -t vfat -o ro,utf8,tz=UTC /dev/sda1 <where>`, or give `mountAt`.
 *
 * Links to files inside become those files. What FAT cannot hold is refused before QEMU starts: names with reserved
 * characters, names that differ in case alone, files of 4 GiB, sockets, links that lead out.
 *
 * In a command line for a person's shell QEMU makes the file system itself, out of the directory as it then is; that is
 * limited to 504 MiB.
 *
 * @throws OptionError `FILE_MISSING` when there is no such directory; `INVALID_OPTION`, `UNKNOWN_OPTION`;
 * `DEVICE_CONFLICT` when two have one label. When the machine starts: `DIRECTORY_UNSHAREABLE` with the entries to blame
 */
export function readOnlyDirectory(directory: string, options: ReadOnlyDirectoryOptions = {}): Device {
  checkTable('readOnlyDirectory', options, CHECKS)
  const { interface: kind = 'scsi', mountAt } = options
  if (kind === 'usb' && mountAt !== undefined) {
    throw new OptionError('INVALID_OPTION', 'readOnlyDirectory: `mountAt` cannot be combined with `interface: "usb"`', {
      hint: 'A guest detects a USB disk only some time after its start. Wait for the disk and mount it in the guest, or use another interface.',
    })
  }
  const path = requireDirectory('readOnlyDirectory', directory)
  const own = options.label?.toUpperCase()
  const labelAt = (position: number): string => own ?? `COLDBOOT${position}`
  const isProtected = kind !== 'ahci'
  // Not by the disk's name, which is a matter of luck where there are several.
  const mountOf = (position: number, at: string): GuestMount => ({
    at,
    type: 'vfat',
    source: `LABEL=${labelAt(position)}`,
    options: MOUNT_OPTIONS,
  })

  const contentIn = (context: DeviceContext): DiskContent => {
    const madeByQemu = { driver: 'vvfat', dir: path, label: labelAt(context.position) }
    const inPlace = context.standalone ? madeByQemu : undefined
    return { path: filesIn(context).image, inPlace, format: 'raw', access: isProtected ? 'read-only' : 'overlay' }
  }
  return {
    name: 'readOnlyDirectory',
    portable: { kind: 'readOnlyDirectory', options: { ...plainOptions(options), directory: path } },
    claims: own === undefined ? [] : [`label:${own}`],
    validate: ({ arch }: { readonly arch: Architecture }) =>
      checkInterface('readOnlyDirectory', arch, kind, { cdrom: false, readOnly: isProtected }),
    async contentIdentity() {
      try {
        return JSON.stringify([own, await directoryIdentity(path)])
      } catch (cause) {
        throw unreadable(path, cause)
      }
    },
    async prepare(context) {
      const { image, layer } = filesIn(context)
      const size = await makeDirectoryImage(path, image, { label: labelAt(context.position), signal: context.signal })
      if (!isProtected) await writeQcow2Overlay(layer, size)
    },
    qemuArgs(context) {
      const id = context.id('disk')
      const layer = context.standalone ? undefined : filesIn(context).layer
      const frontend = { interface: kind, drive: id, cdrom: false, serial: undefined, bootFirst: false }
      return [...contentArgs(contentIn(context), { id, layer }), ...frontendArgs(context, frontend)]
    },
    attachAfterRestore:
      mountAt === undefined || kind !== 'scsi'
        ? undefined
        : { refresh: ({ position }) => refresh(mountOf(position, mountAt)) },
    kernelArgs({ position }) {
      return mountAt === undefined ? [] : [mountWord(mountOf(position, mountAt))]
    },
  }
}

function filesIn({ directory, position }: Pick<DeviceContext, 'directory' | 'position'>): {
  readonly image: string
  readonly layer: string
} {
  const name = join(directory, `directory${position}`)
  return { image: `${name}.img`, layer: `${name}.qcow2` }
}

// The guest has the size, the partitions and some files of the saved machine's disk in memory.
function refresh(mount: GuestMount): string {
  return `set -e
partition=$(findfs '${mount.source}')
umount '${mount.at}'
${reconnected('/sys/class/block/${partition##*/}/../device')}
tries=0
until findfs '${mount.source}' >/dev/null 2>&1 || [ $((tries += 1)) -gt 500 ]; do sleep 0.01; done
${mountScript(mount)}`
}
