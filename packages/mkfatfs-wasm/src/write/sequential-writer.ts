/**
 * Writes stretches of an image from front to back. Small pieces are gathered; one buffer is filled while the other is
 * written; pages of zeros are left out.
 */
import type { ContentsTarget } from '../tree/tree.ts'

/** The destination of an image, all zero at first. Positions only grow. */
export interface ImageSink {
  /** Stores bytes. They are valid until the promise resolves. */
  write(bytes: Uint8Array, position: number): Promise<void>
}

/** Fits the cache of a core: larger buffers were slower. */
const BUFFER_BYTES = 2 ** 20
/** The unit of holes. */
const PAGE_BYTES = 4096

/** A space for bytes, to be filled and then committed. */
export interface Room {
  readonly buffer: Uint8Array
  readonly offset: number
  readonly length: number
}

/** Writes bytes one after the other to a sink that is zero there. */
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

  /** Continues at another position. */
  async seek(position: number): Promise<void> {
    if (position === this.#position + this.#filled) return
    await this.flush()
    this.#position = position
  }

  /** Room for at least `least` bytes, or undefined until {@link flush} has made it. `least` is at most 1 MiB. */
  room(least: number): Room | undefined {
    const length = BUFFER_BYTES - this.#filled
    return length < least ? undefined : { buffer: this.#filling, offset: this.#filled, length }
  }

  /** Takes the first `bytes` of the room, and then zeros up to a multiple of `align`. */
  commit(bytes: number, align = 1): void {
    const end = this.#filled + bytes
    const padded = this.#filled + Math.ceil(bytes / align) * align
    this.#filling.fill(0, end, padded)
    this.#filled = padded
  }

  /** Copies bytes of any number. */
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

  /** Waits for the previous buffer, and begins to write this one. */
  async flush(): Promise<void> {
    await this.#written
    if (this.#filled === 0) return
    const full = this.#filling.subarray(0, this.#filled)
    this.#written = this.#store(full, this.#position)
    // The next flush or `end` sees a rejection; until then nothing awaits it.
    this.#written.catch(() => {})
    this.#position += this.#filled
    ;[this.#filling, this.#writing] = [this.#writing, this.#filling]
    this.#filled = 0
  }

  /** Writes the rest. No write is pending afterwards. */
  async end(): Promise<void> {
    await this.flush()
    await this.#written
  }

  /** Waits until no write is pending, also after a failure: the sink can be closed then. */
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
  // Nearly all pages have a byte at their start: this comparison spares the loop.
  if (bytes[start] !== 0) return false
  const end = Math.min(start + PAGE_BYTES, bytes.length)
  for (let word = start >>> 2; word < end >>> 2; word++) if (words[word] !== 0) return false
  for (let index = end & ~3; index < end; index++) if (bytes[index] !== 0) return false
  return true
}
