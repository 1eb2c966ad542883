/** Type of a stored machine state, as plain data. */

/** A migration stream in a file, without pages that are unchanged since the states before it. */
export interface StateFile {
  readonly path: string
  /** Size of the head, before the pages, bytes. */
  readonly headBytes: number
  readonly pagesBytes: number
  /** Whether the file has the whole guest memory, so that earlier states are not needed. */
  readonly isWhole: boolean
}
