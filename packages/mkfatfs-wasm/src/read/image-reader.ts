/** An image file that is read at many places: small reads come from a cache of blocks. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { MkfatfsError, reasonOf } from '../errors.ts'

const BLOCK_BYTES = 2 ** 15
/** 4 MiB: the directories and the FAT around which a reader moves. */
const MAX_BLOCKS = 128

/** Reads any bytes of a file; synchronous, because FatFs is. */
export class ImageReader {
  readonly path: string
  readonly size: number
  readonly #descriptor: number
  readonly #blocks = new Map<number, Buffer>()
  #lastPosition = -1
  #lastBlock: Buffer = Buffer.alloc(0)
  #isOpen = true

  /** @throws MkfatfsError `READ_FAILED` */
  constructor(path: string) {
    this.path = path
    try {
      this.#descriptor = openSync(path, 'r')
    } catch (error) {
      throw new MkfatfsError('READ_FAILED', `Could not open "${path}": ${reasonOf(error)}.`, { cause: error })
    }
    const stats = fstatSync(this.#descriptor)
    this.size = stats.size
    if (stats.isFile()) return
    this.close()
    throw new MkfatfsError('READ_FAILED', `"${path}" is not a regular file.`)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeSync(this.#descriptor)
  }

  /** A copy of the bytes. What lies behind the end of the file is zero. */
  read(position: number, length: number): Buffer {
    const target = Buffer.alloc(length)
    this.readInto(target, 0, length, position)
    return target
  }

  /** Fills `length` bytes of `target` from `start` on. Returns whether all of them lie within the file. */
  readInto(target: Uint8Array, start: number, length: number, position: number): boolean {
    if (length >= BLOCK_BYTES) return this.#readAll(target, start, length, position) === length
    for (let done = 0; done < length; ) {
      const offset = (position + done) % BLOCK_BYTES
      const block = this.#block(position + done - offset)
      const end = Math.min(block.length, offset + length - done)
      if (end <= offset) return false
      target.set(block.subarray(offset, end), start + done)
      done += end - offset
    }
    return true
  }

  #block(position: number): Buffer {
    // FatFs goes through directories sector by sector: nearly always it is the block of the last time.
    if (position === this.#lastPosition) return this.#lastBlock
    let block = this.#blocks.get(position)
    if (block === undefined) {
      const buffer = Buffer.alloc(BLOCK_BYTES)
      block = buffer.subarray(0, this.#readAll(buffer, 0, BLOCK_BYTES, position))
      const [oldest] = this.#blocks.keys()
      if (this.#blocks.size >= MAX_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest)
      this.#blocks.set(position, block)
    }
    this.#lastPosition = position
    this.#lastBlock = block
    return block
  }

  #readAll(target: Uint8Array, start: number, length: number, position: number): number {
    let done = 0
    while (done < length) {
      const bytes = readSync(this.#descriptor, target, start + done, length - done, position + done)
      if (bytes === 0) break
      done += bytes
    }
    return done
  }
}
