/** The option `vmcore`: where the memory of a guest goes whose kernel panics. */
import { isString } from '../options/checked-options.ts'

/** A dump of guest memory. */
export interface VmcoreFile {
  /** Path. The file is replaced, and only this user can read it. */
  readonly path: string
  /** Most bytes; a larger dump is removed. @default 1_073_741_824 (1 GiB) */
  readonly maxBytes?: number | undefined
}

/** Describes valid values of `vmcore`, for messages. */
export const VMCORE_EXPECTED = 'a path, or an object with `path` and optionally `maxBytes` (above 1023)'

/** Whether a value is valid for `vmcore`. */
export function isVmcoreFile(value: unknown): boolean {
  if (isFilePath(value)) return true
  if (typeof value !== 'object' || value === null || !('path' in value) || !isFilePath(value.path)) return false
  const { maxBytes, path: _, ...others } = value as Record<string, unknown>
  const isLimit = maxBytes === undefined || (Number.isSafeInteger(maxBytes) && Number(maxBytes) >= 1024)
  return isLimit && Object.keys(others).length === 0
}

function isFilePath(value: unknown): boolean {
  return isString(value) && value !== '' && !value.includes('\0')
}
