/** Checks of the paths in options, before anything is spawned. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { codeOf, OptionError } from '../errors.ts'
import { inspectValue, isPath } from './checked-options.ts'
import { nearFiles } from './near-files.ts'

/**
 * Returns the absolute path of a readable file; undefined stays undefined.
 * @throws OptionError `FILE_MISSING` that names the option, the path and files with a similar name; `INVALID_OPTION` if
 * the value is not a path
 */
export function requireFile(option: string, path: string | undefined): string | undefined {
  return requirePath(option, path, 'file')
}

/** Same as {@link requireFile}, for a directory. */
export function requireDirectory(option: string, path: string): string {
  return requirePath(option, path, 'directory')
}

/** A Windows path with a drive letter, or of a server. */
const WINDOWS_PATH = /^(?:[A-Za-z]:[\\/]|\\\\)/

/** @throws OptionError `INVALID_OPTION` */
export function checkPath(option: string, path: unknown): asserts path is string {
  if (isPath[1](path)) return
  throw new OptionError('INVALID_OPTION', `${quoted(option)} must be a path, but is ${inspectValue(path)}`)
}

function requirePath<T extends string | undefined>(option: string, path: T, kind: 'file' | 'directory'): T | string {
  if (path === undefined && kind === 'file') return path
  checkPath(option, path)
  const absolute = resolve(path)
  const problem = pathProblem(absolute, kind)
  if (problem === undefined) return absolute
  throw new OptionError(
    'FILE_MISSING',
    `${quoted(option)} ${problem}: ${absolute}${suggestion(absolute, kind)}`,
    WINDOWS_PATH.test(path) ? { hint: 'This is a path of Windows. In WSL, drive C: is the directory /mnt/c.' } : {},
  )
}

/** Puts the name of an option in backquotes: `kernel`. For `uefi: code`, only `code`. */
function quoted(option: string): string {
  return option.replace(/\S+$/, '`$&`')
}

function suggestion(path: string, kind: 'file' | 'directory'): string {
  const near = existsSync(path) ? [] : nearFiles(path, kind)
  return near.length === 0 ? '' : `; did you mean ${near.map((name) => `\`${name}\``).join(' or ')}?`
}

function pathProblem(path: string, kind: 'file' | 'directory'): string | undefined {
  try {
    const stats = statSync(path)
    if (kind === 'file' && stats.isDirectory()) return 'is a directory, but must be a file'
    // QEMU would silently wait for a writer of the FIFO.
    if (kind === 'file' && !stats.isFile()) return 'is a FIFO, a socket or a device, but must be a regular file'
    if (kind === 'directory' && !stats.isDirectory()) return 'is not a directory'
    accessSync(path, constants.R_OK)
    return undefined
  } catch (error) {
    const code = codeOf(error)
    return code === 'ENOENT'
      ? 'does not exist'
      : code === 'EACCES'
        ? 'cannot be read by this user'
        : `cannot be used (${String(code)})`
  }
}
