/** Public API for machines with the root file system of the host. The work is in modules that are loaded when it is called. */
import { type PendingOptions, pendingOptions } from '@coldboot/core/internal'
import type { LinuxGuestOptions } from '../guest-options.ts'
import type { RootfsGuest } from './rootfs.ts'

/** Options of {@link hostRoot}; all are optional. */
export interface HostRootOptions
  extends Pick<LinuxGuestOptions, 'modules' | 'hostname' | 'logLevel' | 'cacheDirectory' | 'onProgress'> {
  /** `'tmpfs'`: the guest writes to a layer in memory; `false`: it cannot write to directories of the host. @default 'tmpfs' */
  readonly overlay?: 'tmpfs' | false | undefined
  /**
   * Further directories of the host that the guest sees, such as a project below a home directory. Relative paths begin at
   * the current directory.
   * @default []
   */
  readonly show?: readonly string[] | undefined
}

/**
 * Makes a machine whose root is that of the host, with the kernel of {@link linuxGuest}: all tools of the host are there, and
 * programs that were just built. Never writes to the host. Home directories, other file systems, `/tmp`, `/run` and devices
 * are not exported. QEMU needs no root; files that its user cannot read are not readable in the guest.
 *
 * The machine boots for each test: QEMU cannot save a guest with mounted 9p directories.
 *
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`, `FILE_MISSING`
 * @throws StartError as {@link linuxGuest}; `UNSUPPORTED_PLATFORM` on other hosts than Linux
 */
export function hostRoot(options: HostRootOptions = {}): PendingOptions<RootfsGuest> {
  return pendingOptions(import('./make-host-root.ts').then(({ makeHostRoot }) => makeHostRoot(options)))
}
