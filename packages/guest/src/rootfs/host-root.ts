/** Public API for machines with the root file system of the host. Loads its implementation on demand. */
import { type PendingOptions, pendingOptions } from '@coldboot/core/internal'
import type { LinuxGuestOptions } from '../guest-options.ts'
import type { RootfsGuest } from './rootfs.ts'

/** Options of {@link hostRoot}; all are optional. */
export interface HostRootOptions
  extends Pick<LinuxGuestOptions, 'modules' | 'hostname' | 'logLevel' | 'cacheDirectory' | 'onProgress'> {
  /** `'tmpfs'`: writes of the guest go to a layer in memory; `false`: directories of the host are read-only. @default 'tmpfs' */
  readonly overlay?: 'tmpfs' | false | undefined
  /**
   * Additional directories of the host that the guest sees, such as a project below a home directory. Relative paths are
   * resolved from the current directory.
   * @default []
   */
  readonly show?: readonly string[] | undefined
}

/**
 * Returns options for a machine that uses the host's root file system, with the kernel of {@link linuxGuest}. The guest has all
 * tools of the host, and programs that were just built. It never writes to the host. Home directories, other file systems,
 * `/tmp`, `/run` and devices are not exported. QEMU runs as the current user; files that this user cannot read are not readable
 * in the guest.
 *
 * The machine boots for each test, because QEMU cannot save a guest with mounted 9p directories.
 *
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`, `FILE_MISSING`
 * @throws StartError as {@link linuxGuest}; `UNSUPPORTED_PLATFORM` on other hosts than Linux
 */
export function hostRoot(options: HostRootOptions = {}): PendingOptions<RootfsGuest> {
  return pendingOptions(import('./make-host-root.ts').then(({ makeHostRoot }) => makeHostRoot(options)))
}
