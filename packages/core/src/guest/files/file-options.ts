/** Options of file transfers and their checks. */

import { OptionError } from '../../errors.ts'
import {
  type CheckTable,
  checkTable,
  inspectValue,
  isDuration,
  isSignal,
  oneOf,
  wholeNumber,
} from '../../options/checked-options.ts'
import { GUEST_TRANSPORTS, type GuestTransport, type OutputEncoding } from '../run-options.ts'

/** Options of all file transfers. */
export interface FileOptions {
  /**
   * Timeout, milliseconds, before the multiplier.
   *
   * @default one minute, plus one second for each megabyte that is sent
   */
  readonly timeout?: number | undefined
  /** Transport, if the guest has several. @default the first of `agent`, `guest-agent`, `shell` */
  readonly via?: GuestTransport | undefined
  /** Rejects the call when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `vm.writeFile`. */
export interface WriteFileOptions extends FileOptions {
  /**
   * Permission bits, also for an existing file.
   *
   * @default unchanged; for a new file, the default of the guest (0o644)
   */
  readonly mode?: number | undefined
}

/** Options of `vm.readFile`. */
export interface ReadFileOptions extends FileOptions {
  /** `utf8`: a string, invalid bytes as U+FFFD; `buffer`: bytes. @default 'utf8' */
  readonly encoding?: OutputEncoding | undefined
}

const FILE_CHECKS: CheckTable<Required<FileOptions>> = {
  timeout: isDuration,
  via: oneOf(GUEST_TRANSPORTS),
  signal: isSignal,
}

const WRITE_CHECKS: CheckTable<Required<WriteFileOptions>> = { ...FILE_CHECKS, mode: wholeNumber(0, 0o7777) }
const READ_CHECKS: CheckTable<Required<ReadFileOptions>> = { ...FILE_CHECKS, encoding: oneOf(['utf8', 'buffer']) }

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function checkFileOptions(owner: string, options: FileOptions): void {
  checkTable(owner, options, FILE_CHECKS)
}

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function checkWriteOptions(options: WriteFileOptions): void {
  checkTable('writeFile', options, WRITE_CHECKS)
}

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function checkReadOptions(options: ReadFileOptions): void {
  checkTable('readFile', options, READ_CHECKS)
}

/** @throws OptionError `INVALID_OPTION` if `data` is neither a string nor bytes */
export function checkFileData(owner: string, data: unknown): void {
  if (typeof data === 'string' || data instanceof Uint8Array) return
  throw new OptionError('INVALID_OPTION', `${owner}: the data must be a string or bytes, but is ${typeof data}`)
}

/** @throws OptionError `INVALID_OPTION` if `path` is not absolute. A relative path would depend on the shell. */
export function checkGuestPath(owner: string, path: string): void {
  if (typeof path === 'string' && path.startsWith('/') && !path.includes('\0')) return
  throw new OptionError(
    'INVALID_OPTION',
    `${owner}: a path in the guest must be absolute, but is ${inspectValue(path)}`,
  )
}
