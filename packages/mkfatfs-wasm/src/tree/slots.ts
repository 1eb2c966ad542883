/** Number of 32-byte slots that the entries of a directory take. */
import { slotsFor } from '../names/short-name.ts'
import type { DirectoryNode } from './tree.ts'

/** Bytes of a directory entry. */
export const SLOT_BYTES = 32

const known = new WeakMap<DirectoryNode, number>()

/** Slots of a directory without the label, which only the root may have. A subdirectory also has `.` and `..`. */
export function slotsIn(directory: DirectoryNode): number {
  let slots = known.get(directory)
  if (slots === undefined) {
    slots = directory.parent === undefined ? 0 : 2
    for (const { name } of directory.children) slots += slotsFor(name)
    known.set(directory, slots)
  }
  return slots
}
