/** Loads the functions of `@coldboot/guest` at the first call, because most test files do not use them. */
import { type PendingOptions, pendingOptions } from '@coldboot/core/internal'
import type { Kernel, KernelOfOptions, LinuxGuest, LinuxGuestOptions } from '@coldboot/guest'

/**
 * Options of a machine with a small Linux guest, for example `{ ...(await linuxGuest({ modules: ['9p'] })) }`.
 * @see The README of `@coldboot/guest` for its options and errors.
 */
export function linuxGuest(options: LinuxGuestOptions = {}): PendingOptions<LinuxGuest> {
  return pendingOptions(import('@coldboot/guest').then((guest) => guest.linuxGuest(options)))
}

/**
 * Finds a kernel with its modules, for `linuxGuest({ kernel: await kernelOf({ dir: 'linux' }) })`.
 * @see The README of `@coldboot/guest` for its options and errors.
 */
export async function kernelOf(options: KernelOfOptions): Promise<Kernel> {
  const guest = await import('@coldboot/guest')
  return guest.kernelOf(options)
}
