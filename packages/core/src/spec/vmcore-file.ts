/** The option `vmcore`: where the memory of a guest goes whose kernel panics. */

/** A dump of guest memory. */
export interface VmcoreFile {
  /** Path. The file is replaced, and only this user can read it. */
  readonly path: string
  /** Most bytes; a larger dump is removed. @default 1_073_741_824 (1 GiB) */
  readonly maxBytes?: number | undefined
}
