/**
 * A root file system as a tree in memory, before an image is built from it. Paths of archives are resolved only in the tree,
 * so that a link in an archive never leads to a file of the host.
 */
import { OptionError } from '@coldboot/core'

/** Position of a file's content. */
export interface FileContent {
  /** A file of the host. */
  readonly path: string
  /** Offset of the content in that file, bytes. */
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

/** A file. Hard links share one object. */
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

/** Largest number of links in a path, as in the kernel (MAXSYMLINKS). */
const MOST_LINKS = 40
const LONGEST_NAME = 255
const LONGEST_PATH = 4095

/** Creates a directory that belongs to root. */
export function emptyDirectory(mode = 0o755): RootDirectory {
  return { type: 'directory', mode, uid: 0, gid: 0, mtime: 0, children: new Map() }
}

/**
 * Splits a path of an archive, and omits `.`: `./usr//bin/` → `usr`, `bin`.
 * @param owner name of the archive for error messages
 * @throws OptionError `ROOTFS_INVALID` for an absolute path, a path with `..`, and a path that Linux does not allow
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
    return refuse('is longer than Linux allows: 255 bytes per name, 4095 per path')
  }
  return names
}

/** The tree. Paths are lists of names from {@link pathNames}. */
export class RootTree {
  root: RootDirectory = emptyDirectory()
  readonly #owner: string

  /** @param owner name of the source for error messages */
  constructor(owner: string) {
    this.#owner = owner
  }

  /**
   * Adds an entry, and replaces an existing one. A directory that replaces a directory keeps its entries. Missing parents are
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
   * Adds a hard link to a file.
   * @throws OptionError `ROOTFS_INVALID` when there is no such file
   */
  link(names: readonly string[], target: readonly string[]): void {
    const node = this.find(target, { follow: false })
    if (node === undefined || node.type === 'directory') {
      throw this.#invalid(`has a hard link to ${JSON.stringify(target.join('/'))}, which is not a file of it`)
    }
    this.add(names, node)
  }

  /** Removes an entry with its content, if it exists. */
  remove(names: readonly string[]): void {
    const parent = this.find(names.slice(0, -1))
    if (parent?.type === 'directory') parent.children.delete(names.at(-1) ?? '')
  }

  /** Removes the entries of a directory, if it exists. */
  empty(names: readonly string[]): void {
    const directory = this.find(names)
    if (directory?.type === 'directory') directory.children.clear()
  }

  /**
   * Returns the entry of a path, or undefined. Symbolic links are followed in the tree, as after `chroot`.
   * @param options `follow`: whether a link at the end of the path is followed too @default true
   */
  find(names: readonly string[], { follow = true }: { readonly follow?: boolean } = {}): RootNode | undefined {
    return this.resolve(names, follow)?.node
  }

  /** Like {@link find}, but also returns the path with all links resolved. */
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

  /** Yields all entries, parents first, sorted by the bytes of their names. The root has an empty list of names. */
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
    // A dangling link.
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

/** Returns the entries of a directory, sorted by the bytes of their names. */
export function sortedChildren({ children }: RootDirectory): readonly (readonly [string, RootNode])[] {
  return [...children].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}
