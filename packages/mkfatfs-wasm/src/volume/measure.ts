/** Computes the space that a tree needs in a geometry, for each size that is tried. */
import { SLOT_BYTES, slotsIn } from '../tree/slots.ts'
import type { DirectoryNode, Tree } from '../tree/tree.ts'
import { clusterBytes, type Geometry } from './geometry.ts'

/** Space requirements of a tree. */
export interface Measure {
  /** Slots of the root directory, including the label. */
  readonly rootSlots: number
  /** Lower bound of the size of a volume with this tree, bytes. */
  readonly leastBytes: number
  /** Number of clusters that the tree takes. */
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

/** Bytes of a directory other than the root. Includes the slots `.` and `..`. */
export function directoryBytes(directory: DirectoryNode): number {
  return slotsIn(directory) * SLOT_BYTES
}

/** Number of clusters of the root directory of FAT32, at least one. */
export function clustersOfRoot(slots: number, geometry: Geometry): number {
  return Math.max(1, Math.ceil((slots * SLOT_BYTES) / clusterBytes(geometry)))
}
