/** Computes an identity of the content of a directory without reading its files. */
import type { Hash } from 'node:crypto'
import { type BigIntStats, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { nodeCrypto } from '../../host/lazy-node.ts'

/**
 * Hash of all names, types, sizes and times below `directory`, hexadecimal. For a link, its target and the file at the
 * target are included.
 *
 * The change time is included, because programs cannot set it. Otherwise two builds that set all modification times to
 * the same value could have the same hash.
 *
 * @throws the system's error when the directory or a subdirectory cannot be read
 */
export async function directoryIdentity(directory: string): Promise<string> {
  const hash = nodeCrypto().createHash('sha256')
  const pending = ['']
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of readdirSync(join(directory, path), { withFileTypes: true }).sort(byName)) {
      const below = join(path, entry.name)
      describe(hash, directory, below)
      if (entry.isDirectory()) pending.push(below)
    }
    await setImmediate()
  }
  return hash.digest('hex')
}

const QUIETLY = { bigint: true, throwIfNoEntry: false } as const

function describe(hash: Hash, directory: string, path: string): void {
  const source = join(directory, path)
  const own = lstatSync(source, QUIETLY)
  const link = own?.isSymbolicLink() === true
  const described = [path, facts(own), ...(link ? [readlinkSync(source), facts(statSync(source, QUIETLY))] : [])]
  hash.update(`${JSON.stringify(described)}\n`)
}

// Of a directory, the guest sees only its entries and its modification time.
function facts(stats: BigIntStats | undefined): readonly string[] {
  if (stats === undefined) return []
  const { mode, size, mtimeNs, ctimeNs } = stats
  const values = stats.isDirectory() ? [mode, mtimeNs] : [mode, size, mtimeNs, ctimeNs]
  return values.map(String)
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}
