/** The option `logFile`: path, size limit and filter of a console log. */

/** A console log on disk. */
export interface LogFile {
  /** Path. An existing file is replaced. Only this user can read the file. The times are in `<path>.timing`. */
  readonly path: string
  /** Size limit, bytes. A longer log keeps only its beginning and its end. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number | undefined
  /** Creates the filter for the log of one machine. @default none */
  readonly filter?: (() => LogFilter) | undefined
}

/** Changes the bytes of one console before they are logged. May buffer bytes until more arrive. */
export interface LogFilter {
  push(bytes: Uint8Array): Uint8Array
  /** Returns the buffered bytes. Called at the end of the output. */
  end(): Uint8Array
}
