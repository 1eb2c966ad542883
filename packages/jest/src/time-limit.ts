/** Time limits of tests and hooks. */

/** The longest timeout, milliseconds. Jest has no other way to disable a timeout. */
export const NO_LIMIT: number = 2 ** 31 - 1

/**
 * @param own timeout of the test or hook, if it has one
 * @param usual default timeout
 * @returns milliseconds; Infinity for none
 */
export function limitOf(own: number | null | undefined, usual: number, factor: number): number {
  const limit = own || usual
  return limit >= NO_LIMIT ? Infinity : limit * factor
}
