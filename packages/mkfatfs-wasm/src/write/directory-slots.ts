/** Encodes a directory as 32-byte slots. Source: Microsoft's FAT specification. */
import type { FatTime } from '../fat-time.ts'
import { padLabel } from '../names/label.ts'
import { nameEntries } from '../names/short-name.ts'
import { SLOT_BYTES } from '../tree/slots.ts'
import type { DirectoryNode, TreeNode } from '../tree/tree.ts'

const ARCHIVE = 0x20
const DIRECTORY = 0x10
const LABEL = 0x08
const LONG_NAME = 0x0f
const LAST_LONG_NAME = 0x40
const UNITS_PER_SLOT = 13
/** Offsets of the thirteen UTF-16 units in a slot of a long name. */
const UNIT_OFFSETS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]

/** Values of the slots except names. */
export interface SlotContext {
  readonly label: string | undefined
  firstCluster(node: TreeNode): number
  timeOf(node: TreeNode): FatTime
}

/** Writes the slots of `directory` to `target`, which must be large enough, followed by zeros. */
export function encodeDirectory(directory: DirectoryNode, target: Uint8Array, context: SlotContext): void {
  const slots = new SlotWriter(target.fill(0))
  const { parent, children } = directory
  const own = { caseFlags: 0, size: 0, cluster: context.firstCluster(directory), time: context.timeOf(directory) }
  if (parent !== undefined) {
    // `..` refers to the root as cluster 0, even in FAT32.
    const above = parent.parent === undefined ? 0 : context.firstCluster(parent)
    slots.entry({ ...own, short: '.          ', attributes: DIRECTORY })
    slots.entry({ ...own, short: '..         ', attributes: DIRECTORY, cluster: above, time: context.timeOf(parent) })
  } else if (context.label !== undefined) {
    slots.entry({ ...own, short: padLabel(context.label), attributes: LABEL, cluster: 0 })
  }
  const names = nameEntries(children.map(({ name }) => name))
  for (const [index, child] of children.entries()) {
    const { short, caseFlags, hasLongName } = names[index] ?? NOTHING
    const isFile = child.kind === 'file'
    if (hasLongName) slots.longName(child.name, checksum(short))
    slots.entry({
      short,
      caseFlags,
      attributes: isFile ? ARCHIVE : DIRECTORY,
      cluster: context.firstCluster(child),
      size: isFile ? child.size : 0,
      time: context.timeOf(child),
    })
  }
}

/** Fields of an entry. */
interface Entry {
  readonly short: string
  readonly caseFlags: number
  readonly attributes: number
  readonly cluster: number
  readonly size: number
  readonly time: FatTime
}

const NOTHING = { short: '', caseFlags: 0, hasLongName: false, size: 0 }

/** Writes single bytes, which is faster than a DataView for a few bytes. */
class SlotWriter {
  readonly #target: Uint8Array
  #offset = 0

  constructor(target: Uint8Array) {
    this.#target = target
  }

  entry({ short, caseFlags, attributes, cluster, size, time: { date, time } }: Entry): void {
    const offset = this.#offset
    for (let index = 0; index < short.length; index++) this.#target[offset + index] = short.charCodeAt(index)
    this.#target[offset + 11] = attributes
    this.#target[offset + 12] = caseFlags
    this.#put16(14, time)
    this.#put16(16, date)
    this.#put16(18, date)
    this.#put16(20, cluster >>> 16)
    this.#put16(22, time)
    this.#put16(24, date)
    this.#put16(26, cluster)
    this.#put16(28, size)
    this.#put16(30, size >>> 16)
    this.#offset += SLOT_BYTES
  }

  /** Writes a long name in slots before the entry, its end first. `sum` is the checksum of the short name. */
  longName(name: string, sum: number): void {
    const slots = Math.ceil(name.length / UNITS_PER_SLOT)
    for (let slot = slots; slot > 0; slot--) {
      this.#target[this.#offset] = slot === slots ? slot | LAST_LONG_NAME : slot
      this.#target[this.#offset + 11] = LONG_NAME
      this.#target[this.#offset + 13] = sum
      const from = (slot - 1) * UNITS_PER_SLOT
      for (let unit = 0; unit < UNITS_PER_SLOT; unit++) {
        const at = from + unit
        // A zero ends the name. Units after it are 0xffff.
        this.#put16(UNIT_OFFSETS[unit] ?? 0, at < name.length ? name.charCodeAt(at) : at === name.length ? 0 : 0xffff)
      }
      this.#offset += SLOT_BYTES
    }
  }

  #put16(at: number, value: number): void {
    this.#target[this.#offset + at] = value
    this.#target[this.#offset + at + 1] = value >>> 8
  }
}

/** Checksum of a short name, stored in the long name before it. */
function checksum(short: string): number {
  let sum = 0
  for (let index = 0; index < short.length; index++)
    sum = (((sum & 1) << 7) + (sum >> 1) + short.charCodeAt(index)) & 0xff
  return sum
}
