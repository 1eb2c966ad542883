/** How many 32-byte slots the entries of a directory take. */
import { slotsFor } from '../names/short-name.ts'
import type { DirectoryNode } from '../scan/tree.ts'

/** Bytes of a directory entry. */
export const SLOT_BYTES = 32

const known = new WeakMap<DirectoryNode, number>()

/** Slots of a directory, without the label, which only the root may have. A subdirectory has `.` and `..` too. */
export function slotsIn(directory: DirectoryNode): number {
  let slots = known.get(directory)
  if (slots === undefined) {
    slots = directory.parent === undefined ? 0 : 2
    for (const { name } of directory.children) slots += slotsFor(name)
    known.set(directory, slots)
  }
  return slots
}
