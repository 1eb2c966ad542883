/** `linuxGuest` of `@coldboot/guest`, loaded by the first call: most test files never make a guest of their own. */
import type { LinuxGuest, LinuxGuestOptions } from '@coldboot/guest'

/**
 * A small Linux guest, to be spread into a machine's options: `{ ...(await linuxGuest({ modules: ['9p'] })) }`.
 * @see The README of `@coldboot/guest` for its options and errors.
 */
export async function linuxGuest(options: LinuxGuestOptions = {}): Promise<LinuxGuest> {
  const guest = await import('@coldboot/guest')
  return guest.linuxGuest(options)
}
