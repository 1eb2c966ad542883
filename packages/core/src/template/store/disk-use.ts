/** Disk space of a folder. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of the blocks of all files below a folder: a sparse file takes less than its size. */
export function diskUse(directory: string): number {
  let bytes = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).blocks * 512
  }
  return bytes
}
