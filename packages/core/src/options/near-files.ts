/** Finds files whose names are similar to that of a missing file, for error messages. */
import { type Dirent, readdirSync } from 'node:fs'
import { basename, dirname, extname } from 'node:path'
import leven from 'leven'

const MOST_NAMES = 3
const LEAST_STEM = 3

/** Names in the directory of `path` that are similar to its last part, the nearest first; at most three. */
export function nearFiles(path: string, kind: 'file' | 'directory'): readonly string[] {
  const missing = basename(path)
  return (
    entriesOf(dirname(path))
      // A file with the same name is a symbolic link without a target.
      .filter(({ name }) => name !== missing)
      .filter((entry) => entry.isSymbolicLink() || (kind === 'file' ? entry.isFile() : entry.isDirectory()))
      .map(({ name }) => ({ name, distance: distanceOf(missing.toLowerCase(), name.toLowerCase()) }))
      .filter(({ distance }) => distance !== undefined)
      .sort((a, b) => (a.distance ?? 0) - (b.distance ?? 0) || (a.name < b.name ? -1 : 1))
      .slice(0, MOST_NAMES)
      .map(({ name }) => name)
  )
}

function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}

/** Number of edits between two names, or undefined if they are not similar. */
function distanceOf(missing: string, name: string): number | undefined {
  const distance = leven(missing, name)
  const isTypo = distance <= Math.min(3, Math.floor(missing.length / 3))
  return isTypo || isVariant(missing, name) ? distance : undefined
}

/** Whether two names have the same start: `vmlinuz` and `vmlinuz-6.1.0-9-amd64`, `disk.img` and `disk.qcow2`. */
function isVariant(missing: string, name: string): boolean {
  const stem = missing.slice(0, missing.length - extname(missing).length)
  if (stem.length < LEAST_STEM) return false
  return missing.startsWith(name) ? name.length >= LEAST_STEM : name.startsWith(stem)
}
