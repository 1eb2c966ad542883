/** Walks all directories of an image. A damaged or malicious one must neither lead in circles nor out of a directory. */
import { MkfatfsError } from '../errors.ts'
import { foldCase } from '../names/case-fold.ts'
import { whyInvalid } from '../names/long-name.ts'
import type { MountedVolume, RawEntry } from './mounted-volume.ts'

/** An entry with its path from the root, without a leading slash. */
export interface ListedEntry extends RawEntry {
  readonly path: string
  /** A path that FatFs opens: from the root, with the 8.3 name of each part that FatFs would refuse or change. */
  readonly openPath: string
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
  const pending: ListedEntry[] = childrenOf(volume, ROOT).reverse()
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    found.push(entry)
    if (found.length > most || entry.path.length > MAX_PATH)
      throw damaged(entry.path, 'its directories lead in a circle')
    if (entry.isDirectory) pending.push(...childrenOf(volume, entry).reverse())
  }
  return found
}

/**
 * The path by which FatFs opens what `path` names.
 * @throws MkfatfsError `NOT_IN_IMAGE`, `IMAGE_DAMAGED`
 */
export function resolvePath(volume: MountedVolume, path: string): string {
  let openPath = ''
  for (const part of path.split('/')) {
    if (isOpenable(part)) openPath += `/${part}`
    else {
      const folded = foldCase(part)
      const found = volume.entries(openPath || '/').find(({ name }) => foldCase(name) === folded)
      if (found === undefined) {
        throw new MkfatfsError('NOT_IN_IMAGE', `"${path}" is not in the image.`, { offenders: [path] })
      }
      openPath += `/${openName(found)}`
    }
  }
  return openPath
}

/** FatFs refuses some names that other systems store, and strips trailing dots and blanks of others. */
function isOpenable(name: string): boolean {
  return whyInvalid(name, { allowDeviceNames: true }) === undefined
}

function openName({ name, shortName }: RawEntry): string {
  return isOpenable(name) || shortName === '' ? name : shortName
}

const ROOT = { path: '', openPath: '' }

function childrenOf(volume: MountedVolume, { path, openPath }: Pick<ListedEntry, 'path' | 'openPath'>): ListedEntry[] {
  const prefix = path === '' ? '' : `${path}/`
  const children = volume
    .entries(openPath || '/')
    .map((entry) => ({ ...entry, path: prefix + entry.name, openPath: `${openPath}/${openName(entry)}` }))
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
