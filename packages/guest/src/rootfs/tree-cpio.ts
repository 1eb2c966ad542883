/** Converts a tree to entries of an initramfs, for a root in memory. */
import type { CpioEntry } from '../cpio.ts'
import { readFileContent } from './read-file-content.ts'
import type { RootTree } from './root-tree.ts'

/** Returns the entries, below a directory of the initramfs. @throws OptionError `FILE_MISSING` for an unreadable file */
export async function treeEntries(tree: RootTree, folder: string): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = []
  const seen = new Set<object>()
  for (const [names, node] of tree.entries()) {
    const path = [folder, ...names].join('/')
    const { mode, uid, gid, mtime } = node
    const owned = { path, mode, uid, gid, mtime }
    if (node.type === 'directory') entries.push({ type: 'directory', ...owned })
    else if (node.type === 'symlink') entries.push({ type: 'symlink', ...owned, target: node.target })
    else if (node.type === 'file') {
      const data = seen.has(node) ? new Uint8Array(0) : await readFileContent(node)
      seen.add(node)
      entries.push({ type: 'file', ...owned, data, inode: node })
    } else entries.push({ type: node.type, ...owned, major: node.major, minor: node.minor })
  }
  return entries
}
