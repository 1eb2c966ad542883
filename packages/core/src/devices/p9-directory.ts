/**
 * A directory of the host, mounted by the guest over 9p and written from both sides. QEMU itself serves the files, so
 * what the guest may do to them is what the user who runs QEMU may do.
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
 * - `passthrough`: as they are. Needs QEMU to run as root.
 * - `none`: as they are where the user may; a `chown` that the user may not do fails in the guest.
 * - `mapped-xattr`: in extended attributes; every owner, mode and special file works for every user, but files on the host
 *   get mode 0600, the guest's symbolic links are plain files there, and the host's links cannot be followed in the guest.
 * - `mapped-file`: as `mapped-xattr`, in files beside the file (`.virtfs_metadata`).
 */
export type P9SecurityModel = 'passthrough' | 'none' | 'mapped-xattr' | 'mapped-file'

/** Options of {@link p9Directory}. */
export interface P9DirectoryOptions {
  /**
   * Name by which the guest mounts it, 1 to 31 letters, digits, `.`, `_`, `/`, `-`; one of a machine's.
   * @default 'tmpdir'; '/dev/root' with `boot`
   */
  readonly tag?: string
  /**
   * Whether it is the guest's root file system. The kernel's own arguments for that are added, `root=` and its kin: a
   * kernel with 9p compiled in follows them, and so does the initramfs of `@coldboot/guest` with a kernel that has it as
   * a module. A tag of your own needs Linux 5.14. @default false
   */
  readonly boot?: boolean
  /** Whether QEMU refuses every write. @default false */
  readonly readOnly?: boolean
  /** @default 'passthrough' when this process is root, else 'none' */
  readonly securityModel?: P9SecurityModel
  /**
   * Where the guest of `@coldboot/guest` mounts it before the shell starts: an absolute path without blanks, quotes and
   * colons, made when missing. In a machine from a template it is mounted after the restore, by the guest's agent, and
   * machines of one template may have different directories. @default nowhere: the guest mounts it itself
   */
  readonly mountAt?: string
}

const MODELS: readonly P9SecurityModel[] = ['passthrough', 'none', 'mapped-xattr', 'mapped-file']
const CHECKS: CheckTable<Required<P9DirectoryOptions>> = {
  // MAX_TAG_LEN in QEMU's hw/9pfs/9p.h is 32 with its NUL; the tag is a word of the kernel's command line too.
  tag: ['1 to 31 letters, digits, ".", "_", "/", "-"', (value) => isString(value) && /^[\w./-]{1,31}$/.test(value)],
  boot: isFlag,
  readOnly: isFlag,
  securityModel: oneOf(MODELS),
  mountAt: isMountPoint,
}

// 256 KiB a message: with the kernel's default of 128 KiB or less, large files are slower.
const MOUNT_OPTIONS = 'trans=virtio,version=9p2000.L,msize=262144'

const ROOT_INIT = 'coldboot.rootinit='

/**
 * Shares a directory with the guest, both ways. Mount it with
 * `mount -t 9p -o trans=virtio,version=9p2000.L <tag> <where>`, or give `mountAt`.
 *
 * @throws OptionError `FILE_MISSING` when there is no such directory; `INVALID_OPTION`, `UNKNOWN_OPTION`. A tag or a root
 * file system that two devices of a machine claim is `DEVICE_CONFLICT` when the machine is described
 */
export function p9Directory(directory: string, options: P9DirectoryOptions = {}): Device {
  checkTable('p9Directory', options, CHECKS)
  const { boot = false, readOnly = false, mountAt } = options
  // Before Linux 5.14 the kernel asked for its root by this name, whatever `root=` said.
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
        // Without `remap`, files of two host file systems below the directory may have one inode number in the guest.
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

// QEMU saves no guest that has it mounted; one that has not knows nothing of the directory.
function mountAfterRestore(path: string, mount: GuestMount | undefined): RestoreAttachment {
  if (mount === undefined) return { paths: [path] }
  return { paths: [path], attach: () => mountScript(mount), detach: () => unmountScript(mount.at) }
}

// The guest's initramfs says on the kernel's command line which program of it goes on into another root.
function rootInit({ kernelArgs }: DeviceContext): string[] {
  return kernelArgs.filter((word) => word.startsWith(ROOT_INIT)).map((word) => `rdinit=${word.slice(ROOT_INIT.length)}`)
}

function defaultSecurityModel(): P9SecurityModel {
  return process.getuid?.() === 0 ? 'passthrough' : 'none'
}
