/** Time limits of tests and hooks. */
import { LONGEST_TIMER } from '@coldboot/core/internal'

/** The longest timeout, milliseconds. Stands for no timeout, because Jest cannot disable timeouts. */
export const NO_LIMIT: number = LONGEST_TIMER

/**
 * @param own timeout of the test or hook; undefined if it sets none
 * @param usual default timeout, milliseconds
 * @returns milliseconds; Infinity for none
 */
export function limitOf(own: number | null | undefined, usual: number, factor: number): number {
  const limit = own || usual
  return limit >= NO_LIMIT ? Infinity : limit * factor
}
