/** Public API for root file systems of the user. Loads its implementation on demand. */
import type { Device } from '@coldboot/core'
import { type PendingOptions, pendingOptions } from '@coldboot/core/internal'
import type { LinuxGuest } from '../linux-guest.ts'
import type { RootfsOptions } from './rootfs-options.ts'

/** Machine options for a guest with a root file system of the user. Spread them: `VM.start({ ...(await rootfs(path)) })`. */
export interface RootfsGuest extends Omit<LinuxGuest, 'ready'> {
  /** The prompt of the console's shells. Undefined for an init or a command: set `ready` to text that it prints when it is ready. */
  readonly ready: string | undefined
  /** The disk with the root. It must come before other devices: `devices: [...root.devices, virtioRandom()]`. */
  readonly devices: readonly Device[]
}

/**
 * Boots a root file system with the kernel of {@link linuxGuest}. Does not need root privileges, and downloads only the parts of
 * `linuxGuest`. The built image is cached by the content of the source.
 *
 * @param source path of a directory; of a tar archive, which can be compressed with gzip or zstd; or of a container image that
 * `docker save` or `skopeo copy` wrote: an archive of Docker, or an OCI layout as a directory or an archive
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`, `FILE_MISSING`; `ROOTFS_INVALID` for an archive that is damaged,
 * or has unsafe paths; `ROOTFS_TOO_LARGE`
 * @throws StartError as {@link linuxGuest}
 */
export function rootfs(source: string, options: RootfsOptions = {}): PendingOptions<RootfsGuest> {
  return pendingOptions(import('./make-rootfs.ts').then(({ makeRootfs }) => makeRootfs(source, options)))
}
