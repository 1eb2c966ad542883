/** Public API for root file systems of the user's. The work is in modules that are loaded when it is called. */
import type { Device } from '@coldboot/core'
import { type PendingOptions, pendingOptions } from '@coldboot/core/internal'
import type { LinuxGuest } from '../linux-guest.ts'
import type { RootfsOptions } from './rootfs-options.ts'

/** A guest with a root file system of the user's, to be spread into the options of a machine. */
export interface RootfsGuest extends Omit<LinuxGuest, 'ready'> {
  /** The prompt of the shells on the console. Undefined if something else runs: name what it prints when it is ready. */
  readonly ready: string | undefined
  /** The disk with the root. Keep it in front of other devices: `devices: [...root.devices, virtioRandom()]`. */
  readonly devices: readonly Device[]
}

/**
 * Makes a root file system bootable, with the kernel of {@link linuxGuest}. Nothing needs root, and nothing is downloaded
 * but the parts of `linuxGuest`. The image is kept in the cache, by the content of the source.
 *
 * @param source a directory; a tar archive, also compressed by gzip or zstd; a container image, as `docker save` or `skopeo
 * copy` write it: an archive of Docker, or an OCI layout as a directory or an archive
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`, `FILE_MISSING`; `ROOTFS_INVALID` for an archive that is damaged,
 * or has unsafe paths; `ROOTFS_TOO_LARGE`
 * @throws StartError as {@link linuxGuest}
 */
export function rootfs(source: string, options: RootfsOptions = {}): PendingOptions<RootfsGuest> {
  return pendingOptions(import('./make-rootfs.ts').then(({ makeRootfs }) => makeRootfs(source, options)))
}
