/** Result codes of FatFs. */

/** Result codes of FatFs that callers distinguish. */
export const RESULT = {
  ok: 0,
  diskError: 1,
  noFile: 4,
  noPath: 5,
  invalidName: 6,
  denied: 7,
  exists: 8,
  noFileSystem: 13,
  formatAborted: 14,
} as const

/** A result of FatFs other than success. */
export class FatFsError extends Error {
  override readonly name = 'FatFsError'
  readonly result: number

  constructor(operation: string, result: number) {
    super(`${operation}: FatFs result ${result}`)
    this.result = result
  }
}
