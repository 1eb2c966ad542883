/**
 * Writes stretches of a file from front to back: small pieces are gathered, one buffer is filled while the other is
 * written, and what is all zero is left a hole.
 */
import type { FileHandle } from 'node:fs/promises'

/** Fits the cache of a core: larger buffers were slower. */
const BUFFER_BYTES = 2 ** 20
/** What a hole is made of. */
const PAGE_BYTES = 4096
const ZEROS = Buffer.alloc(PAGE_BYTES)

/** Room for bytes, to be filled and then committed. */
export interface Room {
  readonly buffer: Buffer
  readonly offset: number
  readonly length: number
}

/** Writes bytes one after the other into a file that is zero there. */
export class SequentialWriter {
  readonly #file: FileHandle
  #position = 0
  #filling: Buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #writing: Buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #filled = 0
  #written: Promise<void> = Promise.resolve()

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Goes on elsewhere. */
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

  /** Says that the first `bytes` of the room are to be written, and then zeros up to a multiple of `align`. */
  commit(bytes: number, align = 1): void {
    const end = this.#filled + bytes
    const padded = this.#filled + Math.ceil(bytes / align) * align
    this.#filling.fill(0, end, padded)
    this.#filled = padded
  }

  /** Copies bytes of any number. */
  async write(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const room = this.room(1)
      if (room === undefined) {
        await this.flush()
        continue
      }
      const copied = bytes.copy(room.buffer, room.offset, done)
      this.commit(copied)
      done += copied
    }
  }

  /** Waits for the buffer before, and begins to write this one. */
  async flush(): Promise<void> {
    await this.#written
    if (this.#filled === 0) return
    const full = this.#filling.subarray(0, this.#filled)
    this.#written = this.#store(full, this.#position)
    // Rejections are seen by the next flush or by `end`; until then nobody waits.
    this.#written.catch(() => {})
    this.#position += this.#filled
    ;[this.#filling, this.#writing] = [this.#writing, this.#filling]
    this.#filled = 0
  }

  /** Writes what is left. Nothing is under way afterwards. */
  async end(): Promise<void> {
    await this.flush()
    await this.#written
  }

  /** Waits until nothing is under way, whatever becomes of it: the file can be closed then. */
  async settle(): Promise<void> {
    await this.#written.catch(() => {})
  }

  async #store(bytes: Buffer, position: number): Promise<void> {
    let start = 0
    while (start < bytes.length) {
      while (start < bytes.length && isZero(bytes, start)) start += PAGE_BYTES
      let end = start
      while (end < bytes.length && !isZero(bytes, end)) end += PAGE_BYTES
      end = Math.min(end, bytes.length)
      if (end > start) await writeAll(this.#file, bytes.subarray(start, end), position + start)
      start = end
    }
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

function isZero(bytes: Buffer, start: number): boolean {
  // Nearly all pages have something at their start: the look at one byte spares the call.
  if (bytes[start] !== 0) return false
  const end = Math.min(start + PAGE_BYTES, bytes.length)
  return bytes.compare(ZEROS, 0, end - start, start, end) === 0
}
