/**
 * Shared directory of the host over 9p, by default writable for host and guest. QEMU reads and writes the files, so the
 * guest has the permissions of the user that runs QEMU.
 */

import { OptionError } from '../errors.ts'
import { ARCHITECTURES } from '../options/architecture.ts'
import { type CheckTable, checkTable, isFlag, isString, oneOf } from '../options/checked-options.ts'
import { requireDirectory } from '../options/required-path.ts'
import type { Device, DeviceContext, RestoreAttachment } from './device.ts'
import { type GuestMount, isMountPoint, mountScript, mountWord, unmountScript } from './helpers/guest-mount.ts'
import { optionString } from './helpers/option-string.ts'
import { plainOptions } from './helpers/plain-options.ts'

/**
 * How owners, modes and special files of the guest are stored on the host (QEMU's `security_model`):
 *
 * - `passthrough`: unchanged. QEMU must run as root.
 * - `none`: unchanged if the user of QEMU has the permission. If not, new files belong to this user, and `chown` fails
 *   in the guest.
 * - `mapped-xattr`: in extended attributes. Every owner, mode and special file works, for any user of QEMU. But on the
 *   host, files get mode 0600 and symbolic links of the guest are plain files, and the guest cannot follow symbolic
 *   links of the host.
 * - `mapped-file`: same as `mapped-xattr`, but stored in a directory `.virtfs_metadata` beside the file.
 */
export type P9SecurityModel = 'passthrough' | 'none' | 'mapped-xattr' | 'mapped-file'

/** Options of {@link p9Directory}. */
export interface P9DirectoryOptions {
  /**
   * Name of the directory for `mount`: 1 to 31 letters, digits, `.`, `_`, `/`, `-`; unique in the machine.
   * @default 'tmpdir'; '/dev/root' with `boot`
   */
  readonly tag?: string
  /**
   * Whether the directory is the root file system of the guest. Adds the necessary kernel arguments, such as `root=`.
   * The kernel must have 9p built in, or have 9p as a module and use the initramfs of `@coldboot/guest`. A custom tag
   * needs Linux 5.14. @default false
   */
  readonly boot?: boolean
  /** Whether QEMU refuses every write. @default false */
  readonly readOnly?: boolean
  /** Security model: see the type. @default 'passthrough' if this process is root, otherwise 'none' */
  readonly securityModel?: P9SecurityModel
  /**
   * Mount point in a guest of `@coldboot/guest`: an absolute path without blanks, quotes, colons and control
   * characters. The guest creates it if it is missing, and mounts the directory before its shell starts. In a machine
   * from a template, the agent of the guest mounts the directory after the restore. @default none
   */
  readonly mountAt?: string
}

const MODELS: readonly P9SecurityModel[] = ['passthrough', 'none', 'mapped-xattr', 'mapped-file']
const CHECKS: CheckTable<Required<P9DirectoryOptions>> = {
  // QEMU accepts 31 bytes (MAX_TAG_LEN in hw/9pfs/9p.h without the NUL). The kernel command line allows no blanks.
  tag: ['1 to 31 letters, digits, ".", "_", "/", "-"', (value) => isString(value) && /^[\w./-]{1,31}$/.test(value)],
  boot: isFlag,
  readOnly: isFlag,
  securityModel: oneOf(MODELS),
  mountAt: isMountPoint,
}

// 256 KiB per message, because large files are slower with the kernel's default of 128 KiB or less.
const MOUNT_OPTIONS = 'trans=virtio,version=9p2000.L,msize=262144'

/** Kernel argument that sets the program of the initramfs that switches to another root. */
const ROOT_INIT = 'coldboot.rootinit='

/**
 * Shares a directory with the guest, for reading and writing. Mount it with
 * `mount -t 9p -o trans=virtio,version=9p2000.L <tag> <where>`, or set `mountAt`.
 *
 * @throws OptionError `FILE_MISSING` when the directory does not exist; `INVALID_OPTION`, `UNKNOWN_OPTION`. When the
 * machine starts: `DEVICE_CONFLICT` for two devices with the same tag, or two root file systems
 */
export function p9Directory(directory: string, options: P9DirectoryOptions = {}): Device {
  checkTable('p9Directory', options, CHECKS)
  const { boot = false, readOnly = false, mountAt } = options
  // Before Linux 5.14, the kernel always used the tag `/dev/root` for its root, and ignored `root=`.
  const { tag = boot ? '/dev/root' : 'tmpdir', securityModel = defaultSecurityModel() } = options
  if (boot && mountAt !== undefined) {
    throw new OptionError('INVALID_OPTION', 'p9Directory: `boot` and `mountAt` cannot be combined', {
      hint: 'A root file system is always mounted at /. Remove `mountAt`.',
    })
  }
  const path = requireDirectory('p9Directory', directory)
  const access = readOnly ? 'ro' : 'rw'
  const mount: GuestMount | undefined =
    mountAt === undefined ? undefined : { at: mountAt, type: '9p', source: tag, options: `${access},${MOUNT_OPTIONS}` }
  return {
    name: 'p9Directory',
    portable: { kind: 'p9Directory', options: { ...plainOptions(options), directory: path ?? '' } },
    claims: [`tag:${tag}`, ...(boot ? ['boot:root'] : [])],
    attachAfterRestore: boot ? undefined : mountAfterRestore(path, mount),
    qemuArgs(context) {
      const id = context.id('p9-')
      const values = { id, path, security_model: securityModel, multidevs: 'remap', readonly: readOnly || undefined }
      const model = `virtio-9p-${ARCHITECTURES[context.arch].virtioTransport}`
      return [
        // Without `remap`, files of different host file systems may get the same inode number in the guest.
        ...['-fsdev', optionString('local', values)],
        ...['-device', optionString(model, { fsdev: id, mount_tag: tag })],
      ]
    },
    kernelArgs(context) {
      if (boot) return [`root=${tag}`, 'rootfstype=9p', `rootflags=${MOUNT_OPTIONS}`, access, ...rootInit(context)]
      return mount === undefined || context.attachesAfterRestore ? [] : [mountWord(mount)]
    },
  }
}

// QEMU cannot save a guest in which the directory is mounted. So the guest mounts it after a restore, and unmounts it
// before a save.
function mountAfterRestore(path: string, mount: GuestMount | undefined): RestoreAttachment {
  if (mount === undefined) return { paths: [path] }
  return { paths: [path], attach: () => mountScript(mount), detach: () => unmountScript(mount.at) }
}

// If the machine has the argument `coldboot.rootinit=`, the initramfs starts that program with the root.
function rootInit({ kernelArgs }: DeviceContext): string[] {
  return kernelArgs.filter((word) => word.startsWith(ROOT_INIT)).map((word) => `rdinit=${word.slice(ROOT_INIT.length)}`)
}

function defaultSecurityModel(): P9SecurityModel {
  return process.getuid?.() === 0 ? 'passthrough' : 'none'
}
