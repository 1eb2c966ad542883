/** Encodes and decodes records of guest memory in QEMU's migration stream (migration/ram.c). See `state-stream.ts`. */

/** Size of the pages in the stream for all supported architectures, bytes. */
export const PAGE = 4096

/** A page of guest memory. `content` is undefined if the page is all zero. */
export interface MemoryPage {
  /** Name of the memory block, such as `pc.ram`. */
  readonly block: string
  /** Offset of the page in its block, bytes. */
  readonly offset: number
  readonly content: Buffer | undefined
}

/** Types of sections. */
export const SECTION = { start: 1, part: 2, end: 3, subsection: 5, configuration: 7, command: 8, footer: 0x7e } as const
/** The low bits of a record's first eight bytes (migration/ram.c). */
export const FLAG = { zero: 0x02, memorySize: 0x04, page: 0x08, endOfSection: 0x10, sameBlock: 0x20 } as const

function sectionHead(type: number, section: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt8(type)
  bytes.writeUInt32BE(section, 1)
  return bytes
}

function endOfPart(section: number): Buffer {
  const bytes = Buffer.alloc(13)
  bytes.writeBigUInt64BE(BigInt(FLAG.endOfSection))
  bytes.writeUInt8(SECTION.footer, 8)
  bytes.writeUInt32BE(section, 9)
  return bytes
}

/** Encodes the last part of the memory section, without pages. */
export function endOfMemory(section: number): Buffer {
  return Buffer.concat([sectionHead(SECTION.end, section), endOfPart(section)])
}

/** Encodes the start of a part of the memory section. @param head the head of the stream */
export function beginPart(head: Buffer): Buffer {
  return sectionHead(SECTION.part, head.readUInt32BE(head.length - 4))
}

/** Encodes the end of a part of the memory section. @param head the head of the stream */
export function finishPart(head: Buffer): Buffer {
  return endOfPart(head.readUInt32BE(head.length - 4))
}

/** Encodes a page. @param isSameBlock whether the previous record has the same block */
export function encodePage({ block, offset, content }: MemoryPage, isSameBlock: boolean): Buffer {
  const name = isSameBlock ? Buffer.alloc(0) : Buffer.from(block, 'latin1')
  const head = 8 + (isSameBlock ? 0 : 1 + name.length)
  const bytes = Buffer.allocUnsafe(head + (content === undefined ? 1 : PAGE))
  const flags = (content === undefined ? FLAG.zero : FLAG.page) | (isSameBlock ? FLAG.sameBlock : 0)
  bytes.writeBigUInt64BE(BigInt(offset) | BigInt(flags))
  if (!isSameBlock) {
    bytes.writeUInt8(name.length, 8)
    name.copy(bytes, 9)
  }
  if (content === undefined) bytes.writeUInt8(0, head)
  else content.copy(bytes, head)
  return bytes
}

/** Reads the header of a page. @param read fills the buffer with the bytes at the position of the page */
export function readPageHead(read: (buffer: Buffer) => void): {
  readonly offset: number
  /** Length of the header, bytes. */
  readonly headLength: number
  readonly isZero: boolean
} {
  const bytes = Buffer.alloc(9)
  read(bytes)
  const record = bytes.readBigUInt64BE()
  const flags = Number(record & BigInt(PAGE - 1))
  const nameLength = (flags & FLAG.sameBlock) === 0 ? 1 + bytes.readUInt8(8) : 0
  return { offset: Number(record) - flags, headLength: 8 + nameLength, isZero: (flags & FLAG.zero) !== 0 }
}
