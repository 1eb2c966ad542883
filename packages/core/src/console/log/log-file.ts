/** The option `logFile`: path, size limit and filter of a console log. */

/** A console log on disk. */
export interface LogFile {
  /** Path. The file is replaced, and only this user can read it. `<path>.timing` has the times. */
  readonly path: string
  /** Size limit in bytes. Of a longer log, the beginning and the end are kept. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number | undefined
  /** Creates a filter of the logged bytes for one machine. @default none */
  readonly filter?: (() => LogFilter) | undefined
}

/** Changes the bytes of one console before they are logged. May hold back bytes until more arrive. */
export interface LogFilter {
  push(bytes: Uint8Array): Uint8Array
  /** Returns the bytes that were held back, at the end of the output. */
  end(): Uint8Array
}
