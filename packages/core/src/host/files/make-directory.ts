/**
 * Creates a directory with its parents. Does not use the option `recursive` of Node's `mkdir`, which never returns if
 * an existing parent cannot contain directories, such as /proc.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf } from '../../errors.ts'

/** Creates a directory. @param mode permission bits of the created directories @throws the system's error */
export function makeDirectory(path: string, mode = 0o777): void {
  if (isDirectory(path)) return
  if (!existsSync(dirname(path))) makeDirectory(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    // Another process may have created it meanwhile.
    if (codeOf(error) !== 'EEXIST' || !isDirectory(path)) throw error
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
