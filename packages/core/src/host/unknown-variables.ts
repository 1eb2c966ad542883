/** Warns about unknown `COLDBOOT_` variables, for example misspelled ones. */
import { closestMatch } from 'leven'
import { warnOnce } from './warnings.ts'

/** Variables that users may set. */
export const VARIABLES = [
  'COLDBOOT_ACCEL',
  'COLDBOOT_CACHE',
  'COLDBOOT_DEBUG',
  'COLDBOOT_EDITOR',
  'COLDBOOT_INITRAMFS',
  'COLDBOOT_KEEP',
  'COLDBOOT_KERNEL',
  'COLDBOOT_QEMU',
  'COLDBOOT_TIMEOUT_MULTIPLIER',
] as const

/** Variables of this project for its own processes, and for its own tests. */
const INTERNAL = /^COLDBOOT_(?:PROGRESS_SOCKET|TEST_\w+|CHAOS_\w+)$/

/** Warns once about each variable that starts with `COLDBOOT_` and is not known. */
export function warnOfUnknown(variables: Readonly<Record<string, string | undefined>>): void {
  const known: readonly string[] = VARIABLES
  for (const name of Object.keys(variables)) {
    if (!name.startsWith('COLDBOOT_') || known.includes(name) || INTERNAL.test(name)) continue
    const nearest = closestMatch(name, [...known], { maxDistance: 5 })
    const advice = nearest === undefined ? `The variables are ${known.join(', ')}.` : `Did you mean ${nearest}?`
    warnOnce(`The environment variable ${name} has no effect. ${advice}`)
  }
}
