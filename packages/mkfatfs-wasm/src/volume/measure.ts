/** The space that a tree needs in any geometry: asked for every size that is tried. */
import { SLOT_BYTES, slotsIn } from '../tree/slots.ts'
import type { DirectoryNode, Tree } from '../tree/tree.ts'
import { clusterBytes, type Geometry } from './geometry.ts'

/** A tree by its sizes. */
export interface Measure {
  /** Slots of the root directory, with the label. */
  readonly rootSlots: number
  /** Fewer bytes than any volume with this tree has. */
  readonly leastBytes: number
  /** Clusters that the tree takes. */
  clusters(geometry: Geometry): number
}

/** Measures `tree`. `hasLabel`: the root gets a slot for the label. */
export function measureTree(tree: Tree, hasLabel: boolean): Measure {
  const [root, ...others] = tree.directories
  const rootSlots = (root === undefined ? 0 : slotsIn(root)) + (hasLabel ? 1 : 0)
  const sizes = [...others.map(directoryBytes), ...tree.files.map(({ size }) => size)]
  const known = new Map<number, number>()
  return {
    rootSlots,
    leastBytes: sizes.reduce((sum, size) => sum + size, 0),
    clusters(geometry) {
      const bytes = clusterBytes(geometry)
      let count = known.get(bytes)
      if (count === undefined) {
        count = sizes.reduce((sum, size) => sum + Math.ceil(size / bytes), 0)
        known.set(bytes, count)
      }
      return count + (geometry.type === 'fat32' ? clustersOfRoot(rootSlots, geometry) : 0)
    },
  }
}

/** Bytes of a directory other than the root: it has at least the slots `.` and `..`. */
export function directoryBytes(directory: DirectoryNode): number {
  return slotsIn(directory) * SLOT_BYTES
}

/** Clusters of the root directory of FAT32: one even when it is empty. */
export function clustersOfRoot(slots: number, geometry: Geometry): number {
  return Math.max(1, Math.ceil((slots * SLOT_BYTES) / clusterBytes(geometry)))
}
