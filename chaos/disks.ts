/** Folders of a round that are mounted, and the caches of rounds. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault, RoundFolders } from './fault.ts'

/** Prepares the folders of a round: its file system, and a copy of the cache. @param warm the cache of all rounds */
export function prepareFolders({ disk, cache = 'shared' }: Fault, folders: RoundFolders, warm: string): void {
  for (const folder of [folders.temporary, folders.artifacts]) mkdirSync(folder, { recursive: true })
  if (cache !== 'shared') mkdirSync(folders.cache)
  if (disk !== undefined) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${disk.mib}m,mode=0700`, 'coldboot-chaos', folders[disk.folder]])
  }
  if (cache === 'shared') return
  for (const name of readdirSync(warm)) {
    // Keeps holes, owners and times.
    if (cache === 'copy' || name !== 'templates') execFileSync('cp', ['-a', join(warm, name), folders.cache])
  }
}

/** Mounts at or below a folder, the last one first. */
export function mountsBelow(folder: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .toReversed()
}

/** Unmounts everything below a folder. */
export function unmountBelow(folder: string): void {
  for (const path of mountsBelow(folder)) execFileSync('umount', ['-l', path])
}

/** Keeps a copy of the files of a round. Sockets and FIFOs are left out. */
export function keepFiles(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (['node_modules', 'cache'].includes(entry.name)) continue
    cpSync(join(from, entry.name), join(to, entry.name), {
      recursive: true,
      filter: (path) => !/\/(?:socket|keeper|filler)$/.test(path),
    })
  }
}
