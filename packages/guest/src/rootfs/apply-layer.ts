/**
 * Adds the entries of an archive to a tree. A layer of a container image can also remove entries: `.wh.<name>` removes one
 * entry, `.wh..wh..opq` all entries of lower layers in its directory (OCI image specification, "Image Layer Filesystem Changeset").
 */
import type { RootTree } from './root-tree.ts'
import type { LayerEntry } from './tar-layer.ts'

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
/** Prefix of other metadata files of the format, such as those for hard links. */
const RESERVED = '.wh..wh.'

/** Adds an archive that is a root file system. @throws OptionError `ROOTFS_INVALID` */
export function applyEntries(tree: RootTree, entries: readonly LayerEntry[]): void {
  for (const entry of entries) {
    if ('hardLink' in entry) tree.link(entry.names, entry.hardLink)
    else tree.add(entry.names, entry.node)
  }
}

/** Adds a layer of a container image. @throws OptionError `ROOTFS_INVALID` */
export function applyLayer(tree: RootTree, entries: readonly LayerEntry[]): void {
  // Removals come first: they affect only the layers below, regardless of their position in the archive.
  for (const { names } of entries) {
    const name = names.at(-1) ?? ''
    const parent = names.slice(0, -1)
    if (name === OPAQUE) tree.empty(parent)
    else if (isWhiteout(name)) tree.remove([...parent, name.slice(WHITEOUT.length)])
  }
  applyEntries(
    tree,
    entries.filter(({ names }) => !names.some((name) => name.startsWith(WHITEOUT))),
  )
}

function isWhiteout(name: string): boolean {
  return name.startsWith(WHITEOUT) && !name.startsWith(RESERVED) && name.length > WHITEOUT.length
}
