/**
 * Clusters of all directories and files: one run each, directories first, in the order of the tree. So the data area
 * is written from front to back, and a FAT consists of runs.
 */
import type { DirectoryNode, Tree, TreeNode } from '../tree/tree.ts'
import { clusterBytes, FIRST_CLUSTER, type Geometry } from './geometry.ts'
import { clustersOfRoot, directoryBytes, type Measure } from './measure.ts'

/** The clusters of a tree. */
export interface Allocation {
  /** Lengths of the runs, which follow each other without a gap from cluster 2 on. */
  readonly runs: readonly number[]
  /** Clusters in all runs. */
  readonly used: number
  /** The first cluster of a node; 0 for a file without bytes, and for the root of FAT12 and FAT16. */
  firstCluster(node: TreeNode): number
  /** Clusters of a directory; 0 for the root of FAT12 and FAT16. */
  clustersOf(directory: DirectoryNode): number
}

/** Lays out `tree` in a volume it fits in. */
export function allocate(tree: Tree, measure: Measure, geometry: Geometry): Allocation {
  const bytes = clusterBytes(geometry)
  const runs: number[] = []
  const first = new Map<TreeNode, number>()
  const lengths = new Map<DirectoryNode, number>()
  let next = FIRST_CLUSTER
  const take = (node: TreeNode, clusters: number) => {
    first.set(node, clusters === 0 ? 0 : next)
    if (clusters > 0) runs.push(clusters)
    next += clusters
  }
  for (const directory of tree.directories) {
    const isRoot = directory.parent === undefined
    const ofRoot = geometry.type === 'fat32' ? clustersOfRoot(measure.rootSlots, geometry) : 0
    const clusters = isRoot ? ofRoot : Math.ceil(directoryBytes(directory) / bytes)
    lengths.set(directory, clusters)
    take(directory, clusters)
  }
  for (const file of tree.files) take(file, Math.ceil(file.size / bytes))
  return {
    runs,
    used: next - FIRST_CLUSTER,
    firstCluster: (node) => first.get(node) ?? 0,
    clustersOf: (directory) => lengths.get(directory) ?? 0,
  }
}
