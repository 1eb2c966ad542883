/**
 * Writes a tree as an image of EROFS, a read-only file system of Linux (Documentation/filesystems/erofs.rst,
 * https://erofs.docs.kernel.org/en/latest/ondisk). Creating the image needs neither root nor tools of the host. Data is not
 * compressed, because emulated machines read faster than they decompress. The same tree produces the same bytes.
 */
import { FILE_TYPE_BITS } from '../cpio.ts'
import { fileChunks, readFileContent } from './read-file-content.ts'
import { type RootDirectory, type RootNode, type RootTree, sortedChildren } from './root-tree.ts'

const MAGIC = 0xe0f5e1e2
const SUPERBLOCK_OFFSET = 1024
const SUPERBLOCK_SIZE = 128
/** Feature flag: the times of inodes are modification times. */
const COMPAT_MTIME = 2
const INODE_SIZE = 64
/** Unit of inode numbers (nid), bytes. */
const SLOT_SIZE = 32
const DIRENT_SIZE = 12
/** Largest data, bytes, that is stored after its inode instead of in separate blocks. */
const MOST_INLINE = 2048
const EXTENDED_INODE = 1
const LAYOUT = { plain: 0, inline: 2 }
const FILE_TYPES: Readonly<Record<RootNode['type'], number>> = {
  file: 1,
  directory: 2,
  character: 3,
  block: 4,
  fifo: 5,
  symlink: 7,
}

interface Inode {
  readonly node: RootNode
  /** Position of the inode in units of {@link SLOT_SIZE}. */
  readonly nid: number
  readonly number: number
  /** Bytes of its data. */
  readonly size: number
  readonly isInline: boolean
  links: number
  /** First block of its data. */
  block: number
  /** Parent directory. Only set for a directory. */
  parent: RootDirectory | undefined
}

interface Plan {
  readonly blockSize: number
  readonly inodes: ReadonlyMap<RootNode, Inode>
  readonly metadataBlocks: number
  readonly blocks: number
}

/**
 * Yields the bytes of the image.
 * @param blockSize page size of the guest's kernel in bytes, the only block size that Linux before 6.4 mounts
 */
export async function* erofsImage(tree: RootTree, blockSize: number): AsyncGenerator<Uint8Array> {
  const plan = planImage(tree, blockSize)
  yield await metadata(tree, plan)
  for (const inode of plan.inodes.values()) {
    const { node, size, isInline } = inode
    if (size === 0 || isInline) continue
    if (node.type === 'file') yield* fileChunks(node)
    else yield* dataOf(inode, plan)
    yield Buffer.alloc(roundUp(size, blockSize) - size)
  }
}

function planImage(tree: RootTree, blockSize: number): Plan {
  const inodes = new Map<RootNode, Inode>()
  let offset = SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE
  const add = (node: RootNode, parent: RootDirectory | undefined): void => {
    const known = inodes.get(node)
    if (known !== undefined) {
      known.links += 1
      return
    }
    const size = sizeOf(node, blockSize)
    const isInline = size <= (node.type === 'symlink' ? blockSize - INODE_SIZE : MOST_INLINE) && size > 0
    const length = INODE_SIZE + (isInline ? size : 0)
    // An inode and its inline data must be in the same block.
    if ((offset % blockSize) + length > blockSize) offset = roundUp(offset, blockSize)
    const links = node.type === 'directory' ? 2 + subdirectories(node) : 1
    inodes.set(node, {
      node,
      nid: offset / SLOT_SIZE,
      number: inodes.size + 1,
      size,
      isInline,
      links,
      block: 0,
      parent,
    })
    offset = roundUp(offset + length, INODE_SIZE)
    if (node.type === 'directory') for (const [, child] of sortedChildren(node)) add(child, node)
  }
  add(tree.root, tree.root)
  const metadataBlocks = Math.ceil(offset / blockSize)
  let block = metadataBlocks
  for (const inode of inodes.values()) {
    if (inode.isInline || inode.size === 0) continue
    inode.block = block
    block += Math.ceil(inode.size / blockSize)
  }
  return { blockSize, inodes, metadataBlocks, blocks: block }
}

async function metadata(tree: RootTree, plan: Plan): Promise<Buffer> {
  const bytes = Buffer.alloc(plan.metadataBlocks * plan.blockSize)
  writeSuperblock(bytes.subarray(SUPERBLOCK_OFFSET), plan, nidOf(plan, tree.root))
  for (const inode of plan.inodes.values()) {
    const at = inode.nid * SLOT_SIZE
    writeInode(bytes.subarray(at, at + INODE_SIZE), inode)
    if (!inode.isInline) continue
    const data = inode.node.type === 'file' ? await readFileContent(inode.node) : Buffer.concat(dataOf(inode, plan))
    bytes.set(data, at + INODE_SIZE)
  }
  return bytes
}

function writeSuperblock(bytes: Buffer, { blockSize, inodes, blocks }: Plan, root: number): void {
  bytes.writeUInt32LE(MAGIC, 0)
  bytes.writeUInt32LE(COMPAT_MTIME, 8)
  bytes.writeUInt8(Math.log2(blockSize), 12)
  bytes.writeUInt16LE(root, 14)
  bytes.writeBigUInt64LE(BigInt(inodes.size), 16)
  bytes.writeUInt32LE(blocks, 36)
}

function writeInode(bytes: Buffer, { node, number, size, isInline, links, block }: Inode): void {
  bytes.writeUInt16LE(EXTENDED_INODE | ((isInline ? LAYOUT.inline : LAYOUT.plain) << 1), 0)
  bytes.writeUInt16LE(FILE_TYPE_BITS[node.type] | node.mode, 4)
  bytes.writeBigUInt64LE(BigInt(size), 8)
  bytes.writeUInt32LE('major' in node ? deviceNumber(node.major, node.minor) : block, 16)
  bytes.writeUInt32LE(number, 20)
  bytes.writeUInt32LE(node.uid, 24)
  bytes.writeUInt32LE(node.gid, 28)
  bytes.writeBigUInt64LE(BigInt(node.mtime), 32)
  bytes.writeUInt32LE(links, 44)
}

// Same encoding as `new_encode_dev` of the kernel.
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
}

function sizeOf(node: RootNode, blockSize: number): number {
  if (node.type === 'file') return node.size
  if (node.type === 'symlink') return Buffer.byteLength(node.target)
  if (node.type !== 'directory') return 0
  const blocks = directoryBlocks(node, blockSize)
  return (blocks.length - 1) * blockSize + sizeOfEntries(blocks.at(-1) ?? [])
}

/** Returns the data of a directory or link. */
function dataOf({ node, parent }: Inode, plan: Plan): readonly Buffer[] {
  if (node.type === 'symlink') return [Buffer.from(node.target)]
  if (node.type !== 'directory') return []
  const blocks = directoryBlocks(node, plan.blockSize)
  return blocks.map((names, at) => {
    const isLast = at === blocks.length - 1
    const bytes = Buffer.alloc(isLast ? sizeOfEntries(names) : plan.blockSize)
    let nameAt = names.length * DIRENT_SIZE
    for (const [index, name] of names.entries()) {
      const child = entryOf(node, parent ?? node, name)
      bytes.writeBigUInt64LE(BigInt(nidOf(plan, child)), index * DIRENT_SIZE)
      bytes.writeUInt16LE(nameAt, index * DIRENT_SIZE + 8)
      bytes.writeUInt8(FILE_TYPES[child.type], index * DIRENT_SIZE + 10)
      nameAt += name.copy(bytes, nameAt)
    }
    return bytes
  })
}

function entryOf(directory: RootDirectory, parent: RootDirectory, name: Buffer): RootNode {
  const text = name.toString()
  if (text === '.') return directory
  return text === '..' ? parent : (directory.children.get(text) ?? directory)
}

/** Distributes the names of a directory, sorted by their bytes, over blocks. */
function directoryBlocks(directory: RootDirectory, blockSize: number): readonly (readonly Buffer[])[] {
  const names = ['.', '..', ...directory.children.keys()]
    .map((name) => Buffer.from(name))
    .sort((a, b) => Buffer.compare(a, b))
  const blocks: Buffer[][] = [[]]
  let free = blockSize
  for (const name of names) {
    const length = DIRENT_SIZE + name.length
    if (length > free) {
      blocks.push([])
      free = blockSize
    }
    blocks.at(-1)?.push(name)
    free -= length
  }
  return blocks
}

function sizeOfEntries(names: readonly Buffer[]): number {
  return names.reduce((sum, name) => sum + DIRENT_SIZE + name.length, 0)
}

function subdirectories({ children }: RootDirectory): number {
  return [...children.values()].filter(({ type }) => type === 'directory').length
}

function nidOf({ inodes }: Plan, node: RootNode): number {
  return inodes.get(node)?.nid ?? 0
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}
