/**
 * Writes ranges of an image from front to back. Small chunks are combined; one buffer is filled while the other is written; pages
 * of zeros are omitted.
 */
import type { ContentsTarget } from '../tree/tree.ts'

/** Destination of an image, initially all zero. Positions only increase. */
export interface ImageSink {
  /** Writes bytes. The caller keeps them unchanged until the promise resolves. */
  write(bytes: Uint8Array, position: number): Promise<void>
}

/** Size of a buffer, which fits into the cache of a core. Larger buffers are slower. */
const BUFFER_BYTES = 2 ** 20
/** Size of a hole's unit, bytes. */
const PAGE_BYTES = 4096

/** Free space in a buffer. Fill it, then call `commit`. */
export interface Room {
  readonly buffer: Uint8Array
  readonly offset: number
  readonly length: number
}

/** Writes bytes in sequence to a sink that contains zeros. */
export class SequentialWriter implements ContentsTarget {
  readonly #sink: ImageSink
  #position = 0
  #filling: Uint8Array = new Uint8Array(BUFFER_BYTES)
  #writing: Uint8Array = new Uint8Array(BUFFER_BYTES)
  #filled = 0
  #written: Promise<void> = Promise.resolve()

  constructor(sink: ImageSink) {
    this.#sink = sink
  }

  /** Moves to another position. */
  async seek(position: number): Promise<void> {
    if (position === this.#position + this.#filled) return
    await this.flush()
    this.#position = position
  }

  /** Returns free space of at least `least` bytes (at most 1 MiB); undefined if {@link flush} must be called first. */
  room(least: number): Room | undefined {
    const length = BUFFER_BYTES - this.#filled
    return length < least ? undefined : { buffer: this.#filling, offset: this.#filled, length }
  }

  /** Marks the first `bytes` of the free space as filled, and pads them with zeros to a multiple of `align`. */
  commit(bytes: number, align = 1): void {
    const end = this.#filled + bytes
    const padded = this.#filled + Math.ceil(bytes / align) * align
    this.#filling.fill(0, end, padded)
    this.#filled = padded
  }

  /** Writes any number of bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const room = this.room(1)
      if (room === undefined) {
        await this.flush()
        continue
      }
      const piece = bytes.subarray(done, done + room.length)
      room.buffer.set(piece, room.offset)
      this.commit(piece.length)
      done += piece.length
    }
  }

  /** Waits for the write of the previous buffer, and starts to write the current one. */
  async flush(): Promise<void> {
    await this.#written
    if (this.#filled === 0) return
    const full = this.#filling.subarray(0, this.#filled)
    this.#written = this.#store(full, this.#position)
    // The next `flush` or `end` handles a rejection. Until then, it must not be reported as unhandled.
    this.#written.catch(() => {})
    this.#position += this.#filled
    ;[this.#filling, this.#writing] = [this.#writing, this.#filling]
    this.#filled = 0
  }

  /** Writes the rest, and waits until no write is pending. */
  async end(): Promise<void> {
    await this.flush()
    await this.#written
  }

  /** Waits until no write is pending, even after a failure, so that the sink can be closed. */
  async settle(): Promise<void> {
    await this.#written.catch(() => {})
  }

  async #store(bytes: Uint8Array, position: number): Promise<void> {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
    let start = 0
    while (start < bytes.length) {
      while (start < bytes.length && isZero(bytes, words, start)) start += PAGE_BYTES
      let end = start
      while (end < bytes.length && !isZero(bytes, words, end)) end += PAGE_BYTES
      end = Math.min(end, bytes.length)
      if (end > start) await this.#sink.write(bytes.subarray(start, end), position + start)
      start = end
    }
  }
}

function isZero(bytes: Uint8Array, words: Int32Array, start: number): boolean {
  // Most pages begin with a byte other than zero. This check avoids the loop.
  if (bytes[start] !== 0) return false
  const end = Math.min(start + PAGE_BYTES, bytes.length)
  for (let word = start >>> 2; word < end >>> 2; word++) if (words[word] !== 0) return false
  for (let index = end & ~3; index < end; index++) if (bytes[index] !== 0) return false
  return true
}
