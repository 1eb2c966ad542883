/** Finds programs of the host. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'

/** The absolute path of an executable on PATH; undefined if there is none. */
export function findOnPath(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  const candidates = name.includes('/') ? [resolve(name)] : path.split(delimiter).map((folder) => resolve(folder, name))
  return candidates.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    // A directory also has the execute permission.
    return statSync(path).isFile()
  } catch {
    return false
  }
}
