/**
 * A root file system as a tree in memory, before it becomes an image. Paths of archives are resolved in the tree alone, so
 * that a link of an archive never leads to a file of the host.
 */
import { OptionError } from '@coldboot/core'

/** Where the content of a file is. */
export interface FileContent {
  /** A file of the host. */
  readonly path: string
  /** Where the content begins in it, bytes. */
  readonly offset: number
}

interface Owned {
  /** Permission bits, with set-user-id, set-group-id and the sticky bit. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since 1970. */
  readonly mtime: number
}

/** A directory. */
export interface RootDirectory extends Owned {
  readonly type: 'directory'
  readonly children: Map<string, RootNode>
}

/** A file. A file with several names is one object. */
export interface RootFile extends Owned {
  readonly type: 'file'
  /** Bytes. */
  readonly size: number
  readonly content: FileContent
}

/** A symbolic link. */
export interface RootLink extends Owned {
  readonly type: 'symlink'
  readonly target: string
}

/** A device or a named pipe. */
export interface RootSpecial extends Owned {
  readonly type: 'character' | 'block' | 'fifo'
  readonly major: number
  readonly minor: number
}

/** An entry of the tree. */
export type RootNode = RootDirectory | RootFile | RootLink | RootSpecial

/** As the kernel (MAXSYMLINKS). */
const MOST_LINKS = 40
const LONGEST_NAME = 255
const LONGEST_PATH = 4095

/** A new directory of root. */
export function emptyDirectory(mode = 0o755): RootDirectory {
  return { type: 'directory', mode, uid: 0, gid: 0, mtime: 0, children: new Map() }
}

/**
 * The names of a path of an archive, without `.`: `./usr//bin/` → `usr`, `bin`.
 * @param owner the archive, for messages
 * @throws OptionError `ROOTFS_INVALID` for an absolute path, one with `..`, and one that Linux cannot have
 */
export function pathNames(owner: string, path: string): string[] {
  const refuse = (why: string): never => {
    throw new OptionError('ROOTFS_INVALID', `${owner} has the path ${JSON.stringify(path.slice(0, 200))}, which ${why}`)
  }
  if (path.startsWith('/')) return refuse('is absolute')
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  if (names.includes('..')) return refuse('leads out of the archive')
  if (path.includes('\0')) return refuse('has a NUL in it')
  if (names.some((name) => Buffer.byteLength(name) > LONGEST_NAME) || Buffer.byteLength(path) > LONGEST_PATH) {
    return refuse('is longer than Linux allows: 255 bytes a name, 4095 a path')
  }
  return names
}

/** The tree. Names are those of {@link pathNames}. */
export class RootTree {
  root: RootDirectory = emptyDirectory()
  readonly #owner: string

  /** @param owner the source, for messages */
  constructor(owner: string) {
    this.#owner = owner
  }

  /**
   * Adds an entry, instead of what has its name. A directory keeps what is in the one that it replaces. Missing parents are
   * created.
   * @throws OptionError `ROOTFS_INVALID` when a parent is not a directory
   */
  add(names: readonly string[], node: RootNode): void {
    const name = names.at(-1)
    if (name === undefined) {
      if (node.type !== 'directory') throw this.#invalid('has a root that is not a directory')
      this.root = { ...node, children: this.root.children }
      return
    }
    const { children } = this.#parent(names)
    const existing = children.get(name)
    const isMerged = node.type === 'directory' && existing?.type === 'directory'
    children.set(name, isMerged ? { ...node, children: existing.children } : node)
  }

  /**
   * Gives a file another name.
   * @throws OptionError `ROOTFS_INVALID` when there is no such file
   */
  link(names: readonly string[], target: readonly string[]): void {
    const node = this.find(target, { follow: false })
    if (node === undefined || node.type === 'directory') {
      throw this.#invalid(`has a hard link to ${JSON.stringify(target.join('/'))}, which is not a file of it`)
    }
    this.add(names, node)
  }

  /** Removes an entry and what is in it, if it is there. */
  remove(names: readonly string[]): void {
    const parent = this.find(names.slice(0, -1))
    if (parent?.type === 'directory') parent.children.delete(names.at(-1) ?? '')
  }

  /** Removes what is in a directory, if it is there. */
  empty(names: readonly string[]): void {
    const directory = this.find(names)
    if (directory?.type === 'directory') directory.children.clear()
  }

  /**
   * Returns the entry of a path, or undefined. Symbolic links are followed in the tree, as after `chroot`.
   * @param options whether a link at the end of the path is followed too @default true
   */
  find(names: readonly string[], { follow = true }: { readonly follow?: boolean } = {}): RootNode | undefined {
    return this.resolve(names, follow)?.node
  }

  /** As {@link find}, with the path without links. */
  resolve(
    names: readonly string[],
    follow = true,
  ): { readonly node: RootNode; readonly names: readonly string[] } | undefined {
    const pending = [...names]
    const stack: { readonly name: string; readonly node: RootNode }[] = []
    let links = 0
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      if (name === '' || name === '.') continue
      if (name === '..') {
        stack.pop()
        continue
      }
      const directory = stack.at(-1)?.node ?? this.root
      const node = directory.type === 'directory' ? directory.children.get(name) : undefined
      if (node === undefined) return undefined
      if (node.type === 'symlink' && (follow || pending.length > 0)) {
        if (++links > MOST_LINKS) return undefined
        if (node.target.startsWith('/')) stack.length = 0
        pending.unshift(...node.target.split('/'))
      } else {
        stack.push({ name, node })
      }
    }
    return { node: stack.at(-1)?.node ?? this.root, names: stack.map(({ name }) => name) }
  }

  /** Goes through all entries, parents first, in the order of the bytes of their names. The root has no names. */
  *entries(): Generator<readonly [names: readonly string[], node: RootNode]> {
    yield* below([], this.root)
  }

  #parent(names: readonly string[]): RootDirectory {
    const parents = names.slice(0, -1)
    const found = this.resolve(parents)
    if (found?.node.type === 'directory') {
      // Links could otherwise lead to ever deeper directories.
      if (found.names.join('/').length > LONGEST_PATH) throw this.#invalid('has directories that are nested too deep')
      return found.node
    }
    if (found !== undefined) throw this.#belowFile(names)
    const missing = parents.at(-1) ?? ''
    const above = this.#parent(parents)
    const existing = above.children.get(missing)
    // A link to nothing.
    if (existing !== undefined) throw this.#belowFile(names)
    const created = emptyDirectory()
    above.children.set(missing, created)
    return created
  }

  #belowFile(names: readonly string[]): OptionError {
    return this.#invalid(`has ${JSON.stringify(names.join('/'))}, whose parent is not a directory`)
  }

  #invalid(what: string): OptionError {
    return new OptionError('ROOTFS_INVALID', `${this.#owner} ${what}`)
  }
}

function* below(
  names: readonly string[],
  node: RootNode,
): Generator<readonly [names: readonly string[], node: RootNode]> {
  yield [names, node]
  if (node.type !== 'directory') return
  for (const [name, child] of sortedChildren(node)) yield* below([...names, name], child)
}

/** The entries of a directory in the order of the bytes of their names. */
export function sortedChildren({ children }: RootDirectory): readonly (readonly [string, RootNode])[] {
  return [...children].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}
