/** Random access to an image. Small reads use a cache of blocks. */

/** Synchronous access to the bytes of an image, because FatFs is synchronous. */
export interface ImageBytes {
  /** Name in error messages. */
  readonly name: string
  readonly size: number
  /** Fills `target`. Returns the number of read bytes, which is smaller than `target` only at the end of the image. */
  read(target: Uint8Array, position: number): number
  /** Undefined for an image that is opened for reading. */
  readonly write?: ((source: Uint8Array, position: number) => void) | undefined
  close(): void
}

const BLOCK_BYTES = 2 ** 15
/** Size of the cache, 4 MiB: enough for the directories and the part of the FAT that a reader needs. */
const MAX_BLOCKS = 128

/** An image with a cache. */
export class ImageReader {
  readonly name: string
  readonly size: number
  readonly write: ((source: Uint8Array, position: number) => void) | undefined
  readonly #bytes: ImageBytes
  readonly #blocks = new Map<number, Uint8Array>()
  #lastPosition = -1
  #lastBlock: Uint8Array = new Uint8Array()

  constructor(bytes: ImageBytes) {
    this.#bytes = bytes
    this.name = bytes.name
    this.size = bytes.size
    const write = bytes.write?.bind(bytes)
    this.write =
      write &&
      ((source, position) => {
        write(source, position)
        this.#update(source, position)
      })
  }

  close(): void {
    this.#bytes.close()
  }

  /** Returns a copy of the bytes. Bytes after the end of the image are zero. */
  read(position: number, length: number): Uint8Array {
    const target = new Uint8Array(length)
    this.readInto(target, position)
    return target
  }

  /** Fills `target`. Returns whether the whole range is within the image. */
  readInto(target: Uint8Array, position: number): boolean {
    const { length } = target
    if (length >= BLOCK_BYTES) return this.#bytes.read(target, position) === length
    for (let done = 0; done < length; ) {
      const offset = (position + done) % BLOCK_BYTES
      const block = this.#block(position + done - offset)
      const end = Math.min(block.length, offset + length - done)
      if (end <= offset) return false
      target.set(block.subarray(offset, end), done)
      done += end - offset
    }
    return true
  }

  #block(position: number): Uint8Array {
    // FatFs reads directories sector by sector, so the block is usually that of the last call.
    if (position === this.#lastPosition) return this.#lastBlock
    let block = this.#blocks.get(position)
    if (block === undefined) {
      const buffer = new Uint8Array(BLOCK_BYTES)
      block = buffer.subarray(0, this.#bytes.read(buffer, position))
      const [oldest] = this.#blocks.keys()
      if (this.#blocks.size >= MAX_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest)
      this.#blocks.set(position, block)
    }
    this.#lastPosition = position
    this.#lastBlock = block
    return block
  }

  /** Keeps cached blocks equal to the image. */
  #update(source: Uint8Array, position: number): void {
    for (let start = position - (position % BLOCK_BYTES); start < position + source.length; start += BLOCK_BYTES) {
      const block = this.#blocks.get(start)
      const from = Math.max(position, start)
      const end = Math.min(position + source.length, start + (block?.length ?? 0))
      if (end > from) block?.set(source.subarray(from - position, end - position), from - start)
    }
  }
}

/** An image in memory. */
export class MemoryImage implements ImageBytes {
  readonly name = 'the image'
  readonly size: number
  readonly write: ((source: Uint8Array, position: number) => void) | undefined
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, { isWritable = false }: { readonly isWritable?: boolean } = {}) {
    this.#bytes = bytes
    this.size = bytes.length
    this.write = isWritable ? (source, position) => this.#bytes.set(source, position) : undefined
  }

  read(target: Uint8Array, position: number): number {
    const piece = this.#bytes.subarray(position, position + target.length)
    target.set(piece)
    return piece.length
  }

  close(): void {}
}
