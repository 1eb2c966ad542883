/**
 * Serial numbers and GUIDs of disks. They are derived from the tree instead of a clock or a random number, so that the same tree
 * produces the same image. Not a cryptographic hash.
 */
import { viewOf } from '../byte-view.ts'
import type { FatTime } from '../fat-time.ts'
import type { Tree, TreeNode } from '../tree/tree.ts'

/** Sixteen bytes in the byte order of the disk. */
export type Guid = Uint8Array

/** Four numbers of 32 bits. */
type Fingerprint = readonly [number, number, number, number]

/** Identity of a tree, derived from names, sizes and stored times. */
export class Identity {
  readonly #tree: Fingerprint

  /** @param index number of the volume in its image, because two partitions can have the same tree */
  constructor(tree: Tree, label: string | undefined, timeOf: (node: TreeNode) => FatTime, index: number) {
    const lines = [JSON.stringify([label ?? null, index])]
    const add = (node: TreeNode) => {
      const { date, time } = timeOf(node)
      lines.push(`${node.name}\0${node.kind === 'file' ? node.size : ''} ${date} ${time}`)
    }
    const [root] = tree.directories
    if (root !== undefined) add(root)
    // Names instead of paths, which would be long in a deep tree. The order of the directories determines the parent of each name.
    for (const { children } of tree.directories) {
      for (const child of children) add(child)
      lines.push('')
    }
    this.#tree = fingerprint(lines.join('\n'))
  }

  /** Returns a 32-bit number other than 0. */
  number(purpose: string): number {
    return this.#fingerprint(purpose)[0] || 1
  }

  /** Returns a GUID of version 8 (application-defined, RFC 9562), in the mixed byte order of GPT. */
  guid(purpose: string): Guid {
    const guid = new Uint8Array(16)
    const view = viewOf(guid)
    for (const [index, value] of this.#fingerprint(purpose).entries()) view.setUint32(index * 4, value, true)
    view.setUint8(7, (view.getUint8(7) & 0x0f) | 0x80)
    view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80)
    return guid
  }

  #fingerprint(purpose: string): Fingerprint {
    return fingerprint(`${purpose} ${this.#tree.join(' ')}`)
  }
}

/** Four chained multiplicative hashes of 32 bits (cyrb128). */
function fingerprint(text: string): Fingerprint {
  let [a, b, c, d] = [1_779_033_703, 3_144_134_277, 1_013_904_242, 2_773_480_762]
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    a = b ^ Math.imul(a ^ unit, 597_399_067)
    b = c ^ Math.imul(b ^ unit, 2_869_860_233)
    c = d ^ Math.imul(c ^ unit, 951_274_213)
    d = a ^ Math.imul(d ^ unit, 2_716_044_179)
  }
  a = Math.imul(c ^ (a >>> 18), 597_399_067)
  b = Math.imul(d ^ (b >>> 22), 2_869_860_233)
  c = Math.imul(a ^ (c >>> 17), 951_274_213)
  d = Math.imul(b ^ (d >>> 19), 2_716_044_179)
  return [(a ^ b ^ c ^ d) >>> 0, (b ^ a) >>> 0, (c ^ a) >>> 0, (d ^ a) >>> 0]
}
