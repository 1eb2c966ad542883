/**
 * Shared directory of the host over 9p, writable from both sides. QEMU serves the files, so the guest has the
 * permissions of the user that runs QEMU.
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
 * How owners, modes and special files of the guest are kept on the host (QEMU's `security_model`):
 *
 * - `passthrough`: unchanged. QEMU must run as root.
 * - `none`: unchanged if the user has the permission; a `chown` without permission fails in the guest.
 * - `mapped-xattr`: in extended attributes; every owner, mode and special file works for every user, but files on the
 *   host get mode 0600, the guest's symbolic links are plain files there, and the host's links cannot be followed in
 *   the guest.
 * - `mapped-file`: as `mapped-xattr`, in files beside the file (`.virtfs_metadata`).
 */
export type P9SecurityModel = 'passthrough' | 'none' | 'mapped-xattr' | 'mapped-file'

/** Options of {@link p9Directory}. */
export interface P9DirectoryOptions {
  /**
   * Name for mounting, 1 to 31 letters, digits, `.`, `_`, `/`, `-`; unique in the machine.
   * @default 'tmpdir'; '/dev/root' with `boot`
   */
  readonly tag?: string
  /**
   * Whether it is the root file system of the guest. Adds the kernel arguments for it, such as `root=`. They work with
   * a kernel that has 9p built in, and with the initramfs of `@coldboot/guest` and a kernel that has it as a module. A
   * custom tag needs Linux 5.14. @default false
   */
  readonly boot?: boolean
  /** Whether QEMU refuses every write. @default false */
  readonly readOnly?: boolean
  /** @default 'passthrough' when this process is root, else 'none' */
  readonly securityModel?: P9SecurityModel
  /**
   * Mount point in a guest of `@coldboot/guest`, mounted before the shell starts: an absolute path without blanks,
   * quotes and colons, created if missing. In a machine from a template, the agent of the guest mounts it after the
   * restore, and machines of one template may have different directories. @default none
   */
  readonly mountAt?: string
}

const MODELS: readonly P9SecurityModel[] = ['passthrough', 'none', 'mapped-xattr', 'mapped-file']
const CHECKS: CheckTable<Required<P9DirectoryOptions>> = {
  // MAX_TAG_LEN in QEMU's hw/9pfs/9p.h is 32 with its NUL. The tag is also part of the kernel command line.
  tag: ['1 to 31 letters, digits, ".", "_", "/", "-"', (value) => isString(value) && /^[\w./-]{1,31}$/.test(value)],
  boot: isFlag,
  readOnly: isFlag,
  securityModel: oneOf(MODELS),
  mountAt: isMountPoint,
}

// 256 KiB per message, because large files are slower with the kernel's default of 128 KiB or less.
const MOUNT_OPTIONS = 'trans=virtio,version=9p2000.L,msize=262144'

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
  // Before Linux 5.14 the kernel always used this tag for its root and ignored `root=`.
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
        // Without `remap`, files of two host file systems below the directory may get the same inode number in the
        // guest.
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

// QEMU cannot save a guest that has it mounted. Without a mount, the guest has no state of the directory.
function mountAfterRestore(path: string, mount: GuestMount | undefined): RestoreAttachment {
  if (mount === undefined) return { paths: [path] }
  return { paths: [path], attach: () => mountScript(mount), detach: () => unmountScript(mount.at) }
}

// The kernel command line of the guest names the program of its initramfs that switches to another root.
function rootInit({ kernelArgs }: DeviceContext): string[] {
  return kernelArgs.filter((word) => word.startsWith(ROOT_INIT)).map((word) => `rdinit=${word.slice(ROOT_INIT.length)}`)
}

function defaultSecurityModel(): P9SecurityModel {
  return process.getuid?.() === 0 ? 'passthrough' : 'none'
}
