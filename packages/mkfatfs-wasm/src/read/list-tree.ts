/** Walks all directories of an image. A damaged or malicious one must neither lead in circles nor out of a directory. */
import { MkfatfsError } from '../errors.ts'
import type { MountedVolume, RawEntry } from './mounted-volume.ts'

/** An entry with its path from the root, without a leading slash. */
export interface ListedEntry extends RawEntry {
  readonly path: string
}

/** What hosts allow. FatFs, which gets paths whole, loses its way at about twice that. */
const MAX_PATH = 4096
const SHOWN_PATH = 80

/**
 * All entries, parents before children, sorted by name within a directory.
 * @param most entries that the volume has room for
 * @throws MkfatfsError `IMAGE_DAMAGED`
 */
export function listTree(volume: MountedVolume, most: number): ListedEntry[] {
  const found: ListedEntry[] = []
  const pending: ListedEntry[] = childrenOf(volume, '').reverse()
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    found.push(entry)
    if (found.length > most || entry.path.length > MAX_PATH)
      throw damaged(entry.path, 'its directories lead in a circle')
    if (entry.isDirectory) pending.push(...childrenOf(volume, entry.path).reverse())
  }
  return found
}

function childrenOf(volume: MountedVolume, path: string): ListedEntry[] {
  const prefix = path === '' ? '' : `${path}/`
  const children = volume.entries(`/${path}`).map((entry) => ({ ...entry, path: prefix + entry.name }))
  const unsafe = children.find(({ name }) => isUnsafe(name))
  if (unsafe) throw damaged(unsafe.path, 'it has a name that no tool gives')
  return children.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** FatFs shows a name that it cannot decode as one question mark. */
function isUnsafe(name: string): boolean {
  return name === '?' || name === '.' || name === '..' || /[/\\\0]/.test(name)
}

function damaged(path: string, why: string): MkfatfsError {
  const shown = path.length > SHOWN_PATH ? `${path.slice(0, SHOWN_PATH)}…` : path
  return new MkfatfsError('IMAGE_DAMAGED', `"${shown}" in the image cannot be read: ${why}.`, { offenders: [shown] })
}
