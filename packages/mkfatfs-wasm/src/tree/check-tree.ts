/** Checks all names and sizes against the limits of FAT before the image is written. */
import { formatByteSize, formatCount } from '../byte-size.ts'
import { MkfatfsError } from '../errors.ts'
import { foldCase } from '../names/case-fold.ts'
import { whyInvalid } from '../names/long-name.ts'
import { slotsIn } from './slots.ts'
import type { DirectoryNode, Tree } from './tree.ts'

/** Largest file, bytes. */
const MAX_FILE = 2 ** 32 - 1
/** Largest directory in 32-byte slots, also for the root of FAT32. Source: Linux, FatFs (`MAX_DIR`). */
const MAX_SLOTS = 65_536

/**
 * @throws MkfatfsError `NAME_INVALID`, `NAME_COLLISION`, `FILE_TOO_LARGE`, `DIRECTORY_TOO_LARGE`, each with all
 *   offenders
 */
export function checkTree(tree: Tree, options: { readonly allowDeviceNames: boolean }): void {
  const invalid: string[] = []
  const collisions: string[] = []
  const crowded: string[] = []
  for (const directory of tree.directories) {
    const seen = new Map<string, string>()
    for (const { name, path } of directory.children) {
      const reason = whyInvalid(name, options)
      if (reason !== undefined) invalid.push(`${path} (${reason})`)
      const folded = foldCase(name)
      const other = seen.get(folded)
      if (other === undefined) seen.set(folded, path)
      else collisions.push(`${other} and ${path}`)
    }
    const slots = slotsIn(directory)
    if (slots > MAX_SLOTS) crowded.push(`${displayPath(directory)} (${formatCount(slots)} slots)`)
  }
  const large = tree.files.filter(({ size }) => size > MAX_FILE)
  refuse('NAME_INVALID', invalid, 'name cannot be stored', 'names cannot be stored')
  refuse('NAME_COLLISION', collisions, 'pair of names differs only in case', 'pairs of names differ only in case')
  refuse(
    'FILE_TOO_LARGE',
    large.map(({ path, size }) => `${path} (${formatByteSize(size)})`),
    'file is larger than FAT can store',
    'files are larger than FAT can store',
  )
  refuse(
    'DIRECTORY_TOO_LARGE',
    crowded,
    'directory has more entries than FAT can store',
    'directories have more entries than FAT can store',
  )
}

type Refusal = 'NAME_INVALID' | 'NAME_COLLISION' | 'FILE_TOO_LARGE' | 'DIRECTORY_TOO_LARGE'

function refuse(code: Refusal, offenders: readonly string[], one: string, many: string): void {
  if (offenders.length === 0) return
  throw new MkfatfsError(code, `${offenders.length} ${offenders.length === 1 ? one : many}.`, { offenders })
}

function displayPath({ path }: DirectoryNode): string {
  return path === '' ? '. (the root)' : path
}
