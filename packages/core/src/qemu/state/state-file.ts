/** Place of a machine's state in a file, as plain data. */

/** A stream in a file, with the pages that differ from the states before it. Plain data. */
export interface StateFile {
  readonly path: string
  /** Bytes before the pages. */
  readonly headBytes: number
  readonly pagesBytes: number
  /** Whether it has all of the guest's memory: the states before it are not needed. */
  readonly isWhole: boolean
}
