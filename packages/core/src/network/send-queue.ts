/**
 * Queue of data for one guest. Unlike the buffer of a stream, it reports progress while it is full, and does not keep a
 * large buffer in memory because of a small frame in it.
 */
import type { Writable } from 'node:stream'

/** Size of the batches written to the stream, bytes. Each completed batch shows that the guest reads. */
const BATCH_BYTES = 65_536

/** Writes buffers in order, as fast as the other end reads. */
export class SendQueue {
  readonly #stream: Writable
  readonly #onProgress: () => void
  #waiting: Buffer[] = []
  #bytes = 0
  #writing = false

  /** @param onProgress called after each batch that the other end has read */
  constructor(stream: Writable, onProgress: () => void) {
    this.#stream = stream
    this.#onProgress = onProgress
  }

  /** Bytes not yet read by the other end. */
  get bytes(): number {
    return this.#bytes
  }

  push(buffer: Buffer): void {
    this.#bytes += buffer.length
    if (this.#writing) this.#waiting.push(detached(buffer))
    else this.#write([buffer])
  }

  /** Drops the data that has not been written to the stream. */
  clear(): void {
    for (const buffer of this.#waiting) this.#bytes -= buffer.length
    this.#waiting = []
  }

  #write(batch: readonly Buffer[]): void {
    let size = 0
    this.#writing = true
    this.#stream.cork()
    for (const [index, buffer] of batch.entries()) {
      size += buffer.length
      const written = size
      if (index === batch.length - 1) this.#stream.write(buffer, () => this.#taken(written))
      else this.#stream.write(buffer)
    }
    this.#stream.uncork()
  }

  // Also called after an error. The stream then closes, and its owner clears the queue.
  #taken(size: number): void {
    this.#writing = false
    this.#bytes -= size
    if (this.#waiting.length > 0) this.#write(this.#nextBatch())
    this.#onProgress()
  }

  #nextBatch(): Buffer[] {
    let size = 0
    let count = 0
    while (count < this.#waiting.length && size < BATCH_BYTES) size += this.#waiting[count++]?.length ?? 0
    return this.#waiting.splice(0, count)
  }
}

/** Copies the bytes if they are a small part of a larger buffer, which would stay in memory. */
function detached(buffer: Buffer): Buffer {
  return buffer.length * 2 < buffer.buffer.byteLength ? Buffer.from(buffer) : buffer
}
