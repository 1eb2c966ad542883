/** Lists the entries of a volume. Refuses cycles, and names that lead out of a directory, in damaged or malicious volumes. */
import { MkfatfsError } from '../errors.ts'
import { foldCase } from '../names/case-fold.ts'
import { whyInvalid } from '../names/long-name.ts'
import type { MountedVolume, VolumeEntry } from './mounted-volume.ts'

/** An entry with its path from the root, without a leading slash. */
export interface ListedEntry extends VolumeEntry {
  readonly path: string
  /** Path for FatFs, from the root. Contains the 8.3 name of each part that FatFs would refuse or change. */
  readonly openPath: string
}

/** Longest path, as on hosts. FatFs fails at about twice this length. */
const MAX_PATH = 4096
const SHOWN_PATH = 80
const ROOT = { path: '', openPath: '' }

/**
 * Lists all entries: parents before children, sorted by name within a directory.
 * @param most largest possible number of entries
 * @throws MkfatfsError `IMAGE_DAMAGED`
 */
export function listTree(volume: MountedVolume, most: number): ListedEntry[] {
  const found: ListedEntry[] = []
  const pending = childrenOf(volume, ROOT).reverse()
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    found.push(entry)
    if (found.length > most || entry.path.length > MAX_PATH) {
      throw damaged(entry.path, 'its directories lead in a circle')
    }
    if (entry.isDirectory) pending.push(...childrenOf(volume, entry).reverse())
  }
  return found
}

/**
 * Converts `path` to a path for FatFs.
 * @throws MkfatfsError `NOT_IN_IMAGE`, `IMAGE_DAMAGED`
 */
export function resolvePath(volume: MountedVolume, path: string): string {
  let openPath = ''
  for (const part of path.split('/')) {
    if (isOpenable(part)) openPath += `/${part}`
    else {
      const found = findEntry(volume, openPath || '/', part)
      if (found === undefined) {
        throw new MkfatfsError('NOT_IN_IMAGE', `"${path}" is not in the image.`, { offenders: [path] })
      }
      openPath += `/${openName(found)}`
    }
  }
  return openPath
}

/** Finds the entry with `name`, ignoring case, in `directory`, a path for FatFs. */
export function findEntry(volume: MountedVolume, directory: string, name: string): VolumeEntry | undefined {
  if (isOpenable(name)) return volume.stat(`${directory === '/' ? '' : directory}/${name}`)
  const folded = foldCase(name)
  return volume.entries(directory).find((entry) => foldCase(entry.name) === folded)
}

/** Returns the name with which FatFs opens an entry. */
export function openName({ name, shortName }: VolumeEntry): string {
  return isOpenable(name) || shortName === '' ? name : shortName
}

/** FatFs refuses some names that other systems store, and strips trailing dots and blanks of others. */
function isOpenable(name: string): boolean {
  return whyInvalid(name, { allowDeviceNames: true }) === undefined
}

/** Returns the entries of a directory. */
export function childrenOf(
  volume: MountedVolume,
  { path, openPath }: Pick<ListedEntry, 'path' | 'openPath'>,
): ListedEntry[] {
  const prefix = path === '' ? '' : `${path}/`
  const children = volume
    .entries(openPath || '/')
    .map((entry) => ({ ...entry, path: prefix + entry.name, openPath: `${openPath}/${openName(entry)}` }))
  const unsafe = children.find(({ name }) => isUnsafe(name))
  if (unsafe) throw damaged(unsafe.path, 'it has a name that no system gives')
  return children.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether a name is unsafe. FatFs returns `?` for a name that it cannot decode. */
function isUnsafe(name: string): boolean {
  return name === '?' || name === '.' || name === '..' || /[/\\\0]/.test(name)
}

function damaged(path: string, why: string): MkfatfsError {
  const shown = path.length > SHOWN_PATH ? `${path.slice(0, SHOWN_PATH)}...` : path
  return new MkfatfsError('IMAGE_DAMAGED', `"${shown}" in the image cannot be read: ${why}.`, { offenders: [shown] })
}
