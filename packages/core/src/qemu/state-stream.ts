/**
 * Reader of the guest memory in QEMU's migration stream. It separates memory pages from other data, so that a saved
 * state can be stored as the pages that differ from another one.
 *
 * QEMU keeps the format compatible between versions (docs/devel/migration/main.rst, migration/ram.c): a head, the
 * memory section in several parts, then the devices. Memory may be sent in any order and repeatedly, and memory that is
 * not sent keeps its content. So a stream stays valid without the pages that the receiver already has. Data after the
 * memory, and data that is not known, is passed on unchanged.
 */
import { MachineError } from '../errors.ts'

/** Size of the pages in the stream for all supported architectures, bytes. */
export const PAGE = 4096

/** A page of guest memory: its content, or undefined when it is all zero. */
export interface MemoryPage {
  /** Name of the memory block: `pc.ram`. */
  readonly block: string
  /** Offset of the page in its block, bytes. */
  readonly offset: number
  readonly content: Buffer | undefined
}

/** Receives the parts of a stream in order. Buffers are valid only during the call. */
export interface StateStreamListener {
  /** The bytes before the first page, once, and the blocks of memory with their sizes in bytes. */
  head(bytes: Buffer, blocks: ReadonlyMap<string, number>): void
  page(page: MemoryPage): void
  /** A command between the parts of the memory. It belongs before the tail. */
  command(bytes: Buffer): void
  /** The bytes after the last page, in chunks; the whole stream if its head is not known, and is not reported then. */
  tail(bytes: Buffer): void
}

const MAGIC = 0x5145_564d
const VERSION = 3
const SECTION = { start: 1, part: 2, end: 3, subsection: 5, configuration: 7, command: 8, footer: 0x7e } as const
/** The low bits of a record's first eight bytes (migration/ram.c). */
const FLAG = { zero: 0x02, memorySize: 0x04, page: 0x08, endOfSection: 0x10, sameBlock: 0x20 } as const
const TARGET_PAGE_BITS = 'configuration/target-page-bits'

/** Longest head, bytes. QEMU's has a few kilobytes. */
const LONGEST_HEAD = 1 << 20

/** Thrown inside when more bytes are needed. */
const INCOMPLETE = new Error('incomplete')

type Step = 'head' | 'between' | 'records' | 'tail'

/** The memory of the stream has unsupported data. */
export class UnknownStateError extends MachineError {
  override readonly name: string = 'UnknownStateError'

  constructor(what: string) {
    super('MACHINE_UNSAVABLE', `QEMU's stream of the machine's state has ${what}, which is not known here`)
  }
}

/** Reads a stream in chunks of any size. */
export class StateStreamReader {
  readonly #listener: StateStreamListener
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  #step: Step = 'head'
  #ramSection = 0
  #block = ''
  #isEnd = false

  constructor(listener: StateStreamListener) {
    this.#listener = listener
  }

  /** @throws UnknownStateError */
  push(chunk: Buffer): void {
    if (this.#isPastMemory) return this.#listener.tail(chunk)
    this.#buffer = this.#at < this.#buffer.length ? Buffer.concat([this.#buffer.subarray(this.#at), chunk]) : chunk
    this.#at = 0
    while (!this.#isPastMemory) {
      const before = this.#at
      try {
        this.#next()
      } catch (reason) {
        this.#at = before
        const isHeadTooLong = this.#step === 'head' && this.#buffer.length > LONGEST_HEAD
        if (reason === INCOMPLETE && !isHeadTooLong) return
        // Other sections among the memory, such as the storage keys of s390x, and all that follows, stay as they are.
        if (!(reason instanceof UnknownStateError || isHeadTooLong) || this.#step === 'records') throw reason
        this.#step = 'tail'
      }
    }
    this.#listener.tail(this.#buffer.subarray(this.#at))
  }

  /** Ends the stream. @throws UnknownStateError when it ends in the middle of memory */
  end(): void {
    if (!this.#isPastMemory) throw new UnknownStateError('an early end')
  }

  get #isPastMemory(): boolean {
    return this.#step === 'tail'
  }

  #next(): void {
    if (this.#step === 'head') this.#readHead()
    else if (this.#step === 'between') this.#readSectionHead()
    else this.#readRecord()
  }

  #readHead(): void {
    this.#at = 0
    if (this.#u32() !== MAGIC || this.#u32() !== VERSION) throw new UnknownStateError('another version')
    let type = this.#u8()
    if (type === SECTION.configuration) {
      this.#bytes(this.#u32())
      type = this.#u8()
      while (type === SECTION.subsection) {
        this.#readSubsection()
        type = this.#u8()
      }
    }
    requireSection(type === SECTION.start, type)
    this.#ramSection = this.#u32()
    const name = this.#text(this.#u8())
    if (name !== 'ram') throw new UnknownStateError(`a section "${name}" before the memory`)
    this.#bytes(8)
    const blocks = this.#readMemorySize()
    requireRecord(flagsOf(this.#u64()), FLAG.endOfSection)
    this.#readFooter()
    this.#listener.head(this.#buffer.subarray(0, this.#at), blocks)
    this.#step = 'between'
  }

  #readSubsection(): void {
    const name = this.#text(this.#u8())
    this.#bytes(4)
    if (name !== TARGET_PAGE_BITS || 1 << this.#u32() !== PAGE) throw new UnknownStateError(`a part "${name}"`)
  }

  #readMemorySize(): Map<string, number> {
    const record = this.#u64()
    requireRecord(flagsOf(record), FLAG.memorySize)
    const blocks = new Map<string, number>()
    let left = offsetOf(record)
    while (left > 0) {
      const name = this.#text(this.#u8())
      const size = Number(this.#u64())
      blocks.set(name, size)
      left -= size
    }
    return blocks
  }

  #readSectionHead(): void {
    const start = this.#at
    const type = this.#u8()
    // QEMU 10.1 and later announce the last part.
    if (type === SECTION.command) {
      this.#u16()
      this.#bytes(this.#u16())
      this.#listener.command(this.#buffer.subarray(start, this.#at))
      return
    }
    requireSection(type === SECTION.part || type === SECTION.end, type)
    requireSection(this.#u32() === this.#ramSection, type)
    this.#isEnd = type === SECTION.end
    this.#step = 'records'
  }

  #readRecord(): void {
    const record = this.#u64()
    const flags = flagsOf(record)
    if (flags === FLAG.endOfSection) {
      this.#readFooter()
      this.#step = this.#isEnd ? 'tail' : 'between'
      // The section needs an end, even if all of its pages are elsewhere.
      if (this.#isEnd) this.#listener.tail(endOfMemory(this.#ramSection))
      return
    }
    const kind = flags & ~FLAG.sameBlock
    requireRecord(kind, FLAG.zero, FLAG.page)
    const block = (flags & FLAG.sameBlock) === 0 ? this.#text(this.#u8()) : this.#block
    const content = kind === FLAG.page ? this.#bytes(PAGE) : zeroOnly(this.#u8())
    this.#block = block
    this.#listener.page({ block, offset: offsetOf(record), content })
  }

  #readFooter(): void {
    if (this.#u8() !== SECTION.footer || this.#u32() !== this.#ramSection) {
      throw new UnknownStateError('a section without its footer')
    }
  }

  #bytes(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#buffer.length) throw INCOMPLETE
    const bytes = this.#buffer.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  #u8(): number {
    return this.#bytes(1).readUInt8()
  }

  #u16(): number {
    return this.#bytes(2).readUInt16BE()
  }

  #u32(): number {
    return this.#bytes(4).readUInt32BE()
  }

  #u64(): bigint {
    return this.#bytes(8).readBigUInt64BE()
  }

  #text(length: number): string {
    return this.#bytes(length).toString('latin1')
  }
}

function zeroOnly(byte: number): undefined {
  if (byte !== 0) throw new UnknownStateError(`a page of bytes ${byte}`)
}

function requireSection(isKnown: boolean, type: number): void {
  if (!isKnown) throw new UnknownStateError(`a section of type ${type} among the memory`)
}

function requireRecord(flags: number, ...known: readonly number[]): void {
  if (!known.includes(flags)) throw new UnknownStateError(`a memory record 0x${flags.toString(16)}`)
}

function flagsOf(record: bigint): number {
  return Number(record & BigInt(PAGE - 1))
}

function offsetOf(record: bigint): number {
  return Number(record & ~BigInt(PAGE - 1))
}

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

function endOfMemory(section: number): Buffer {
  return Buffer.concat([sectionHead(SECTION.end, section), endOfPart(section)])
}

/** The bytes before the pages of a part of the memory section. @param head as passed to the listener */
export function beginPart(head: Buffer): Buffer {
  return sectionHead(SECTION.part, head.readUInt32BE(head.length - 4))
}

/** The bytes after the pages of a part. */
export function finishPart(head: Buffer): Buffer {
  return endOfPart(head.readUInt32BE(head.length - 4))
}

/** Encodes a page for the stream. @param isSameBlock whether the record before it is of the same block */
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
  /** Bytes. */
  readonly headLength: number
  readonly isZero: boolean
} {
  const bytes = Buffer.alloc(9)
  read(bytes)
  const record = bytes.readBigUInt64BE()
  const flags = flagsOf(record)
  const nameLength = (flags & FLAG.sameBlock) === 0 ? 1 + bytes.readUInt8(8) : 0
  return { offset: offsetOf(record), headLength: 8 + nameLength, isZero: (flags & FLAG.zero) !== 0 }
}
