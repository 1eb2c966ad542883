/** Where temporary files go. */
import { tmpdir } from 'node:os'
import { isAbsolute } from 'node:path'

/** A relative TMPDIR is another folder in each working directory, and would leave files in projects. */
export function temporaryDirectory(): string {
  const directory = tmpdir()
  return isAbsolute(directory) ? directory : '/tmp'
}
