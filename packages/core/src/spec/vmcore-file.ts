/** Type of the option `vmcore`: the file for a memory dump after a kernel panic. */

/** Destination of a dump of the guest memory. */
export interface VmcoreFile {
  /** Path. An existing file is replaced. Only this user can read the file. */
  readonly path: string
  /** Largest size of the dump, bytes. A larger dump is removed. @default 1_073_741_824 (1 GiB) */
  readonly maxBytes?: number | undefined
}
