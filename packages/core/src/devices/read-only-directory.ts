/**
 * Directory of the host as a read-only disk: a FAT image, created for each machine. Every guest and boot loader can
 * read FAT, and the guest has no access to the directory itself.
 */
import { OptionError } from '../errors.ts'
import { type CheckTable, checkTable, isString, oneOf } from '../options/checked-options.ts'
import { requireDirectory } from '../options/required-path.ts'
import type { Device } from './device.ts'
import { DISK_INTERFACES, type DiskInterface } from './disk/disk-interface.ts'
import { fatDisk } from './disk/fat-disk.ts'
import { reconnected } from './disk/reconnected-disk.ts'
import { type GuestMount, isMountPoint, mountScript, mountWord } from './helpers/guest-mount.ts'
import { plainOptions } from './helpers/plain-options.ts'

/** Options of {@link readOnlyDirectory}. */
export interface ReadOnlyDirectoryOptions {
  /**
   * Interface of the disk, which determines its name in Linux: `/dev/sda1` for `scsi`, `ahci` and `usb`, `/dev/vda1`
   * for `virtio`, `/dev/nvme0n1p1` for `nvme`. Several disks are `/dev/vda1`, `/dev/vdb1` in the order of the devices.
   * The order of `sd` disks is not stable, so mount them by label (`mount LABEL=…`) or with `mountAt`.
   *
   * `ahci` is for guests without virtio. SATA has no write protection: writes of the guest go to a temporary layer.
   * @default 'scsi'
   */
  readonly interface?: DiskInterface
  /**
   * Volume label, for finding the disk independent of its name: 1 to 11 letters, digits, `_`, `-`, stored in upper
   * case; unique in the machine. @default `COLDBOOT` and the position of the device in the machine, from 0
   */
  readonly label?: string
  /**
   * Mount point in a guest of `@coldboot/guest`, mounted before the shell starts: an absolute path without blanks,
   * quotes and colons, created if missing. Not with `usb`. @default none
   */
  readonly mountAt?: string
}

const CHECKS: CheckTable<Required<ReadOnlyDirectoryOptions>> = {
  interface: oneOf(DISK_INTERFACES),
  // 11 is the limit of FAT. Blanks are not allowed, because the label is part of a word of the kernel command line.
  label: [
    '1 to 11 letters, digits, "_", "-", and not COLDBOOT with a number',
    (value) => isString(value) && /^(?!COLDBOOT\d+$)[\w-]{1,11}$/i.test(value),
  ],
  mountAt: isMountPoint,
}

// For times in UTC and names in Unicode, as mkfatfs stores them.
const MOUNT_OPTIONS = 'ro,utf8,tz=UTC'

/**
 * Adds a read-only disk with the content of a directory at the start of the machine: a partition with a FAT file
 * system. Mount it with `mount -t vfat -o ro,utf8,tz=UTC /dev/sda1 <where>`, or set `mountAt`.
 *
 * Links to files inside the directory become files. Entries that FAT cannot represent are rejected before QEMU starts:
 * names with reserved characters, names that differ only in case, files of 4 GiB, sockets, links that point outside.
 *
 * In a command line for a shell, QEMU itself creates the file system from the directory, limited to 504 MiB.
 *
 * @throws OptionError `FILE_MISSING` when the directory does not exist; `INVALID_OPTION`, `UNKNOWN_OPTION`;
 * `DEVICE_CONFLICT` for two equal labels. When the machine starts: `DIRECTORY_UNSHAREABLE` with the offending entries
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
  const disk = fatDisk({ owner: 'readOnlyDirectory', interface: kind, files: 'directory' })
  // By label, because the names of several disks are not stable.
  const mountOf = (position: number, at: string): GuestMount => ({
    at,
    type: 'vfat',
    source: `LABEL=${labelAt(position)}`,
    options: MOUNT_OPTIONS,
  })

  return {
    name: 'readOnlyDirectory',
    portable: { kind: 'readOnlyDirectory', options: { ...plainOptions(options), directory: path } },
    claims: own === undefined ? [] : [`label:${own}`],
    validate: disk.validate,
    async contentIdentity() {
      try {
        const { directoryIdentity } = await import('./helpers/directory-identity.ts')
        return JSON.stringify([own, await directoryIdentity(path)])
      } catch (cause) {
        const { unreadable } = await import('./disk/fat-image.ts')
        throw unreadable(path, cause)
      }
    },
    prepare: (context) => disk.create(path, context, { label: labelAt(context.position), partition: true }),
    qemuArgs: (context) => disk.args(context, { driver: 'vvfat', dir: path, label: labelAt(context.position) }),
    attachAfterRestore:
      mountAt === undefined || kind !== 'scsi'
        ? undefined
        : { refresh: ({ position }) => refresh(mountOf(position, mountAt)) },
    kernelArgs({ position }) {
      return mountAt === undefined ? [] : [mountWord(mountOf(position, mountAt))]
    },
  }
}

// The guest caches the size, the partitions and some files of the saved disk, so the disk must be detected again.
function refresh(mount: GuestMount): string {
  return `set -e
partition=$(findfs '${mount.source}')
umount '${mount.at}'
${reconnected('/sys/class/block/${partition##*/}/../device')}
tries=0
until findfs '${mount.source}' >/dev/null 2>&1 || [ $((tries += 1)) -gt 500 ]; do sleep 0.01; done
${mountScript(mount)}`
}
