/** A directory of the host as it was found: what the later phases lay out and write. */

/** A file to store. */
export interface FileNode {
  readonly kind: 'file'
  readonly name: string
  /** Relative to the directory that is packed, with forward slashes. */
  readonly path: string
  /** Where its bytes are read from. */
  readonly source: string
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
  readonly source: string
  readonly modified: number
  /** Sorted by name, in UTF-16 units: the image does not depend on the order of the host’s directory. */
  readonly children: TreeNode[]
}

export type TreeNode = FileNode | DirectoryNode

/** A whole tree in the order in which it is laid out. */
export interface Tree {
  /** Parents before children; the root is the first. */
  readonly directories: readonly DirectoryNode[]
  readonly files: readonly FileNode[]
  /** Sum of the sizes of the files. */
  readonly bytes: number
}
