/** Options of moving files, checked. */

import { OptionError } from '../../errors.ts'
import { type CheckTable, checkTable, isDuration, isSignal, oneOf, wholeNumber } from '../../options/checked-options.ts'
import { GUEST_TRANSPORTS, type GuestTransport, type OutputEncoding } from '../run-options.ts'

/** What all of them take. */
export interface FileOptions {
  /** How long it may take, milliseconds, before the multiplier. @default a minute, and a second for each megabyte that is sent */
  readonly timeout?: number | undefined
  /** The way to use, where the guest has several. @default the fastest it has */
  readonly via?: GuestTransport | undefined
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `vm.writeFile`. */
export interface WriteFileOptions extends FileOptions {
  /** Permission bits, also of a file that is there already. @default its own; of a new one, what the guest gives (0o644) */
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

/** @throws OptionError `INVALID_OPTION` for what is neither text nor bytes */
export function checkFileData(owner: string, data: unknown): void {
  if (typeof data === 'string' || data instanceof Uint8Array) return
  throw new OptionError('INVALID_OPTION', `${owner}: the data must be a string or bytes, but is ${typeof data}`)
}

/** @throws OptionError `INVALID_OPTION` for what is no path in a guest: it must not depend on where a shell happens to be */
export function checkGuestPath(owner: string, path: string): void {
  if (typeof path === 'string' && path.startsWith('/') && !path.includes('\0')) return
  throw new OptionError(
    'INVALID_OPTION',
    `${owner}: a path in the guest must be absolute, but is ${JSON.stringify(path)}`,
  )
}
