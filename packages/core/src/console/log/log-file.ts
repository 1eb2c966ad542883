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

/** Describes valid values of `logFile`, for messages. */
export const LOG_FILE_EXPECTED = 'a path, or an object with `path` and optionally `maxBytes` (above 1023) and `filter`'

/** Whether a value is valid for `logFile`. */
export function isLogFile(value: unknown): boolean {
  if (isPath(value)) return true
  if (typeof value !== 'object' || value === null || !('path' in value) || !isPath(value.path)) return false
  const { maxBytes, filter, path: _, ...others } = value as Record<string, unknown>
  return (
    (maxBytes === undefined || (Number.isSafeInteger(maxBytes) && Number(maxBytes) >= 1024)) &&
    (filter === undefined || typeof filter === 'function') &&
    Object.keys(others).length === 0
  )
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0')
}
