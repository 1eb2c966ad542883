/** Reads a directory of the host as a tree. Keeps symbolic links without following them. */
import { lstatSync, readlinkSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError } from '@coldboot/core'
import { messageOf } from '@coldboot/core/internal'
import type { ReadBudget } from './content-file.ts'
import { emptyDirectory, type RootDirectory, type RootNode, RootTree } from './root-tree.ts'

/** Input of {@link readDirectory}. */
export interface DirectorySource {
  /** The beginning of messages: `rootfs: PATH`. */
  readonly owner: string
  readonly directory: string
  readonly budget: ReadBudget
}

/** A directory's tree, with an identity for caches. */
export interface ReadDirectory {
  readonly tree: RootTree
  /** Text that changes when a file is changed, added or removed. */
  readonly identity: string
}

/** Mask of the permission bits in a file's mode; the other bits are its type. */
const PERMISSIONS = 0o7777

/**
 * Reads a directory. Files of the current user belong to root in the tree, because an unpacked archive belongs to the user who
 * unpacked it. Sockets are omitted.
 * @throws OptionError `FILE_MISSING` for an unreadable file or directory, `ROOTFS_TOO_LARGE`
 */
export async function readDirectory({ owner, directory, budget }: DirectorySource): Promise<ReadDirectory> {
  const tree = new RootTree(owner)
  const identity: unknown[] = []
  const files = new Map<string, RootNode>()
  const own = process.getuid?.() ?? 0
  const readNode = async (path: string): Promise<RootNode | undefined> => {
    // The synchronous call: awaiting a promise per file takes ten times as long.
    const stats = lstatSync(path, { bigint: true })
    const isOwn = own !== 0 && Number(stats.uid) === own
    const owned = {
      mode: Number(stats.mode) & PERMISSIONS,
      uid: isOwn ? 0 : Number(stats.uid),
      gid: isOwn ? 0 : Number(stats.gid),
      mtime: Math.max(0, Number(stats.mtimeNs / 1_000_000_000n)),
    }
    budget.takeEntry()
    identity.push([path.slice(directory.length), owned, String(stats.size), String(stats.ino), String(stats.ctimeNs)])
    if (stats.isDirectory()) return readFolder(path, { ...emptyDirectory(), ...owned })
    if (stats.isSymbolicLink()) return { type: 'symlink', ...owned, mode: 0o777, target: readlinkSync(path) }
    const [major, minor] = deviceNumbers(stats.rdev)
    if (stats.isCharacterDevice()) return { type: 'character', ...owned, major, minor }
    if (stats.isBlockDevice()) return { type: 'block', ...owned, major, minor }
    if (stats.isFIFO()) return { type: 'fifo', ...owned, major: 0, minor: 0 }
    if (!stats.isFile()) return undefined
    const inode = `${stats.dev} ${stats.ino}`
    const known = files.get(inode)
    if (known !== undefined) return known
    budget.takeBytes(Number(stats.size))
    const node: RootNode = { type: 'file', ...owned, size: Number(stats.size), content: { path, offset: 0 } }
    if (stats.nlink > 1n) files.set(inode, node)
    return node
  }
  const readFolder = async (path: string, folder: RootDirectory): Promise<RootDirectory> => {
    const names = await readdir(path)
    for (const name of names.sort()) {
      const node = await readNode(join(path, name))
      if (node !== undefined) folder.children.set(name, node)
    }
    return folder
  }
  try {
    const root = await readNode(directory)
    if (root?.type === 'directory') tree.root = root
  } catch (cause) {
    if (cause instanceof OptionError) throw cause
    const hint = 'Make it readable, or pack it as a user who can read it: sudo tar -C DIRECTORY -cf root.tar .'
    throw new OptionError('FILE_MISSING', `${owner} cannot be read: ${messageOf(cause)}`, { cause, hint })
  }
  return { tree, identity: JSON.stringify(identity) }
}

/** Same encoding as `gnu_dev_major` and `gnu_dev_minor` of glibc. */
function deviceNumbers(device: bigint): readonly [major: number, minor: number] {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn)
  return [Number(major), Number(minor)]
}
