/** A directory tree to store, the input of layout and writing. */

/** A buffer for the bytes of the data area. */
export interface ContentsTarget {
  /** Returns free space of at least `least` bytes (at most 1 MiB); undefined if {@link flush} must be called first. */
  room(least: number): { readonly buffer: Uint8Array; readonly offset: number; readonly length: number } | undefined
  /** Marks the first `bytes` of the free space as filled, and pads them with zeros to a multiple of `align`. */
  commit(bytes: number, align?: number): void
  write(bytes: Uint8Array): Promise<void>
  /** @param done bytes of the current file that are written */
  flush(done?: number): Promise<void>
}

/** Source of a file's bytes: memory, a file of the host, or a stream. */
export interface FileSource {
  /**
   * Copies exactly `file.size` bytes, padded to a multiple of `align`. Returns a promise only if it must wait.
   * @throws MkfatfsError `SOURCE_CHANGED`, `READ_FAILED`
   */
  copyTo(target: ContentsTarget, file: FileNode, align: number): Promise<void> | void
}

/** A file to store. */
export interface FileNode {
  readonly kind: 'file'
  readonly name: string
  /** From the root, with forward slashes. */
  readonly path: string
  readonly source: FileSource
  readonly size: number
  /** Milliseconds since 1970. */
  readonly modified: number
}

/** A directory to store; the root has an empty name and path. */
export interface DirectoryNode {
  readonly kind: 'directory'
  /** Undefined for the root. */
  readonly parent: DirectoryNode | undefined
  readonly name: string
  readonly path: string
  readonly modified: number
  /** Sorted by name in UTF-16 units, so that the image does not depend on the order of the source. */
  readonly children: TreeNode[]
}

export type TreeNode = FileNode | DirectoryNode

/** A whole tree in layout order. */
export interface Tree {
  /** Parents before children; the root is the first. */
  readonly directories: readonly DirectoryNode[]
  readonly files: readonly FileNode[]
  /** Sum of the sizes of the files. */
  readonly bytes: number
}

/** Compares by name in UTF-16 units. */
export function byName(a: TreeNode, b: TreeNode): number {
  return a.name < b.name ? -1 : 1
}

/** Collects all nodes below `root`, depth first. Not recursive, because a deep tree could overflow the stack. */
export function toTree(root: DirectoryNode): Tree {
  const directories: DirectoryNode[] = []
  const files: FileNode[] = []
  let bytes = 0
  const pending: DirectoryNode[] = [root]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    directories.push(next)
    for (const child of next.children) {
      if (child.kind === 'directory') continue
      files.push(child)
      bytes += child.size
    }
    for (const child of next.children.toReversed()) if (child.kind === 'directory') pending.push(child)
  }
  return { directories, files, bytes }
}
