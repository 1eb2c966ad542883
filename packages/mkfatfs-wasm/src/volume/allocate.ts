/**
 * Assigns clusters to all directories and files: a contiguous run each, directories first, in the order of the tree. The data
 * area can thus be written from front to back, and a FAT consists of runs.
 */
import type { DirectoryNode, Tree, TreeNode } from '../tree/tree.ts'
import { clusterBytes, FIRST_CLUSTER, type Geometry } from './geometry.ts'
import { clustersOfRoot, directoryBytes, type Measure } from './measure.ts'

/** The clusters of a tree. */
export interface Allocation {
  /** Lengths of the runs, which follow each other from cluster 2 on without gaps. */
  readonly runs: readonly number[]
  /** Clusters in all runs. */
  readonly used: number
  /** Returns the first cluster of a node; 0 for an empty file, and for the root of FAT12 and FAT16. */
  firstCluster(node: TreeNode): number
  /** Returns the number of clusters of a directory; 0 for the root of FAT12 and FAT16. */
  clustersOf(directory: DirectoryNode): number
}

/** Assigns the clusters of `tree` in a volume that is large enough. */
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
