/** How long tests and hooks may take. */

/** The longest timeout there is, milliseconds: Jest takes no other word for "none". */
export const NO_LIMIT: number = 2 ** 31 - 1

/**
 * @param own the test's own timeout, if it has one
 * @param usual that of all tests
 * @returns milliseconds; Infinity for none
 */
export function limitOf(own: number | null | undefined, usual: number, factor: number): number {
  const limit = own || usual
  return limit >= NO_LIMIT ? Infinity : limit * factor
}
