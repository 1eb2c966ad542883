/** Where a console is logged, and what is kept of it there. */

/** A console log on disk. */
export interface LogFile {
  /** Path. Made anew and readable by this user only; beside it, as `<path>.timing`, the times. */
  readonly path: string
  /** Most bytes of it: of more, the beginning and the end are kept. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number | undefined
  /** Makes what changes the bytes on their way to the log, for one machine. @default none: they are logged as they came */
  readonly filter?: (() => LogFilter) | undefined
}

/** Changes the bytes of one console on their way to its log. It may hold some back until it knows what they are. */
export interface LogFilter {
  push(bytes: Uint8Array): Uint8Array
  /** Nothing will follow: what was held back. */
  end(): Uint8Array
}

/** What the option must be, for errors. */
export const LOG_FILE_EXPECTED = 'a path, or an object with `path`, and `maxBytes` above 1023 and `filter` if need be'

/** Whether a value is fit for the option. */
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
