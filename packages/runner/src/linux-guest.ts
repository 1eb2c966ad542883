/** Loads `linuxGuest` of `@coldboot/guest` at the first call, because most test files do not use it. */
import type { LinuxGuest, LinuxGuestOptions } from '@coldboot/guest'

/**
 * Options of a machine with a small Linux guest, for example `{ ...(await linuxGuest({ modules: ['9p'] })) }`.
 * @see The README of `@coldboot/guest` for its options and errors.
 */
export async function linuxGuest(options: LinuxGuestOptions = {}): Promise<LinuxGuest> {
  const guest = await import('@coldboot/guest')
  return guest.linuxGuest(options)
}
