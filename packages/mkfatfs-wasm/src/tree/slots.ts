/** Counts the 32-byte slots of a directory's entries. */
import { slotsFor } from '../names/short-name.ts'
import type { DirectoryNode } from './tree.ts'

/** Bytes of a directory entry. */
export const SLOT_BYTES = 32

const known = new WeakMap<DirectoryNode, number>()

/** Number of slots of a directory, without that of the label in the root. Includes `.` and `..` of a subdirectory. */
export function slotsIn(directory: DirectoryNode): number {
  let slots = known.get(directory)
  if (slots === undefined) {
    slots = directory.parent === undefined ? 0 : 2
    for (const { name } of directory.children) slots += slotsFor(name)
    known.set(directory, slots)
  }
  return slots
}
