/**
 * Reader of QEMU's migration stream. It separates pages of guest memory from other data, so that a saved state can be
 * stored without the pages that are equal in another state.
 *
 * QEMU keeps the format compatible between versions (docs/devel/migration/main.rst, migration/ram.c): a head, the
 * memory section in several parts, then the devices. Pages may be sent in any order and repeatedly, and pages that are
 * not sent keep their content. Therefore a stream stays valid without the pages that the receiver already has. Data
 * after the memory, and data in an unknown format, is passed on unchanged.
 */
import { MachineError } from '../../errors.ts'
import { endOfMemory, FLAG, type MemoryPage, PAGE, SECTION } from './state-records.ts'

/** Receives the parts of a stream in order. Buffers are valid only during the call. */
export interface StateStreamListener {
  /** Called once, with the bytes before the first page, and the memory blocks with their sizes in bytes. */
  head(bytes: Buffer, blocks: ReadonlyMap<string, number>): void
  page(page: MemoryPage): void
  /** Called with a command between parts of the memory. It must be written before the tail. */
  command(bytes: Buffer): void
  /**
   * Called with the bytes after the last page, in chunks. If the head is unknown: the whole stream, without other
   * calls.
   */
  tail(bytes: Buffer): void
}

const MAGIC = 0x5145_564d
const VERSION = 3
const TARGET_PAGE_BITS = 'configuration/target-page-bits'

/** Longest head, bytes. QEMU's has a few kilobytes. */
const LONGEST_HEAD = 1 << 20

/** Upper bound of the length of a record, bytes. */
const JOINED = 2 * PAGE

/** Thrown and caught in this file when more bytes are needed. */
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
  #offset = 0
  #isEnd = false

  constructor(listener: StateStreamListener) {
    this.#listener = listener
  }

  /** Does not keep the chunk. @throws UnknownStateError */
  push(chunk: Buffer): void {
    this.#read(chunk)
    this.#buffer = Buffer.from(this.#isPastMemory ? [] : this.#buffer.subarray(this.#at))
    this.#at = 0
  }

  #read(chunk: Buffer): void {
    const left = this.#buffer.length - this.#at
    if (this.#isPastMemory || left === 0 || chunk.length <= JOINED) return this.#push(chunk)
    // Copies only the record that continues from the previous chunk.
    this.#push(chunk.subarray(0, JOINED))
    const unread = this.#buffer.length - this.#at
    const isInChunk = !this.#isPastMemory && unread <= JOINED
    if (isInChunk) this.#at = this.#buffer.length
    this.#push(chunk.subarray(isInChunk ? JOINED - unread : JOINED))
  }

  #push(chunk: Buffer): void {
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
        // Unknown sections before or in the memory, such as storage keys of s390x, and all later data are passed on
        // unchanged.
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
    requireRecord(this.#recordFlags(), FLAG.endOfSection)
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
    requireRecord(this.#recordFlags(), FLAG.memorySize)
    const blocks = new Map<string, number>()
    let left = this.#offset
    while (left > 0) {
      const name = this.#text(this.#u8())
      const size = this.#u64()
      blocks.set(name, size)
      left -= size
    }
    return blocks
  }

  #readSectionHead(): void {
    const start = this.#at
    const type = this.#u8()
    // QEMU 10.1 and later send a command before the last part.
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
    const flags = this.#recordFlags()
    const offset = this.#offset
    if (flags === FLAG.endOfSection) {
      this.#readFooter()
      this.#step = this.#isEnd ? 'tail' : 'between'
      // The section must have an end, even if none of its pages is stored.
      if (this.#isEnd) this.#listener.tail(endOfMemory(this.#ramSection))
      return
    }
    const kind = flags & ~FLAG.sameBlock
    requireRecord(kind, FLAG.zero, FLAG.page)
    const block = (flags & FLAG.sameBlock) === 0 ? this.#text(this.#u8()) : this.#block
    const content = kind === FLAG.page ? this.#bytes(PAGE) : zeroOnly(this.#u8())
    this.#block = block
    this.#listener.page({ block, offset, content })
  }

  #readFooter(): void {
    if (this.#u8() !== SECTION.footer || this.#u32() !== this.#ramSection) {
      throw new UnknownStateError('a section without its footer')
    }
  }

  #bytes(length: number): Buffer {
    const at = this.#take(length)
    return this.#buffer.subarray(at, this.#at)
  }

  /** Advances the position, and returns the previous one. */
  #take(length: number): number {
    const at = this.#at
    if (at + length > this.#buffer.length) throw INCOMPLETE
    this.#at = at + length
    return at
  }

  #u8(): number {
    return this.#buffer.readUInt8(this.#take(1))
  }

  #u16(): number {
    return this.#buffer.readUInt16BE(this.#take(2))
  }

  #u32(): number {
    return this.#buffer.readUInt32BE(this.#take(4))
  }

  /** Reads a 64-bit number. Not exact from 2 ** 53. */
  #u64(): number {
    return this.#u32() * 2 ** 32 + this.#u32()
  }

  /**
   * Reads the first eight bytes of a record: flags, and `#offset`. As numbers, because bigints would be slow for each
   * page.
   */
  #recordFlags(): number {
    const high = this.#u32()
    const low = this.#u32()
    const flags = low & (PAGE - 1)
    this.#offset = high * 2 ** 32 + low - flags
    return flags
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
