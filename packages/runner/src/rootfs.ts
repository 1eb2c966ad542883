/** Loads `rootfs` and `hostRoot` of `@coldboot/guest` at the first call, because most test files do not use them. */
import { type PendingOptions, pendingOptions } from '@coldboot/core/internal'
import type { HostRootOptions, RootfsGuest, RootfsOptions } from '@coldboot/guest'

/**
 * Options of a machine with your own root file system, for example `{ ...(await rootfs('image.tar')) }`.
 * @see docs/bring-your-own.md for its sources, options and errors.
 */
export function rootfs(source: string, options: RootfsOptions = {}): PendingOptions<RootfsGuest> {
  return pendingOptions(import('@coldboot/guest').then((guest) => guest.rootfs(source, options)))
}

/**
 * Options of a machine with the root file system of the host, for example `{ ...(await hostRoot()) }`.
 * @see docs/bring-your-own.md for the directories that the guest sees, its options and errors.
 */
export function hostRoot(options: HostRootOptions = {}): PendingOptions<RootfsGuest> {
  return pendingOptions(import('@coldboot/guest').then((guest) => guest.hostRoot(options)))
}
