/** Finds the folder for temporary files. */
import { tmpdir } from 'node:os'
import { isAbsolute } from 'node:path'

/** Absolute path. A relative TMPDIR would be another folder in each working directory, and leave files in projects. */
export function temporaryDirectory(): string {
  const directory = tmpdir()
  return isAbsolute(directory) ? directory : '/tmp'
}
