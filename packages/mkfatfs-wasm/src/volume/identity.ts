/**
 * The numbers that tell one disk from another: a serial number and GUIDs. They come from the contents of the tree
 * instead of a clock or chance, so that the same tree gives the same image, and another tree another disk.
 */
import { createHash } from 'node:crypto'
import type { FatTime } from '../fat-time.ts'
import type { Tree, TreeNode } from '../scan/tree.ts'

/** Identifiers of an image. */
export interface Identity {
  readonly volumeId: number
  readonly diskGuid: Buffer
  readonly partitionGuid: Buffer
}

/** Each call of the hash costs as much as a hundred bytes in it. */
const HASHED_AT_ONCE = 2 ** 14

/** Derives them from names, sizes, and times as they are stored. */
export function identify(tree: Tree, label: string | undefined, timeOf: (node: TreeNode) => FatTime): Identity {
  const hash = createHash('sha256').update(JSON.stringify(label ?? null))
  let text = ''
  for (const node of [...tree.directories, ...tree.files]) {
    const { date, time } = timeOf(node)
    text += `${node.path}\0${node.kind === 'file' ? node.size : ''} ${date} ${time}\n`
    if (text.length < HASHED_AT_ONCE) continue
    hash.update(text)
    text = ''
  }
  hash.update(text)
  const digest = hash.digest()
  return {
    volumeId: digest.readUInt32LE(0),
    diskGuid: asGuid(digest.subarray(0, 16)),
    partitionGuid: asGuid(digest.subarray(16, 32)),
  }
}

/** Marks sixteen bytes as a GUID of version 8, “made its own way”, in the mixed byte order of GPT. Source: RFC 9562. */
function asGuid(bytes: Buffer): Buffer {
  const guid = Buffer.from(bytes)
  guid[7] = (guid.readUInt8(7) & 0x0f) | 0x80
  guid[8] = (guid.readUInt8(8) & 0x3f) | 0x80
  return guid
}
