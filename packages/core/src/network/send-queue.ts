/**
 * What waits to be read by one guest. The stream's own buffer would do, but says neither how far it came while it is
 * full nor lets go of the large buffers that small frames were cut from.
 */
import type { Writable } from 'node:stream'

/** As much as is handed to the stream at once, bytes: each batch that was taken shows that the guest reads. */
const BATCH_BYTES = 65_536

/** Buffers in order, written as fast as the other end reads. */
export class SendQueue {
  readonly #stream: Writable
  readonly #onProgress: () => void
  #waiting: Buffer[] = []
  #bytes = 0
  #writing = false

  /** @param onProgress called after each batch the other end took */
  constructor(stream: Writable, onProgress: () => void) {
    this.#stream = stream
    this.#onProgress = onProgress
  }

  /** Not yet taken, bytes. */
  get bytes(): number {
    return this.#bytes
  }

  push(buffer: Buffer): void {
    this.#bytes += buffer.length
    if (this.#writing) this.#waiting.push(detached(buffer))
    else this.#write([buffer])
  }

  /** Forgets what has not been handed to the stream. */
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

  // Called for an error too; the stream then closes, and its owner clears what is left.
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

/** The same bytes without the larger memory they may be a small part of, which would stay as long as they wait. */
function detached(buffer: Buffer): Buffer {
  return buffer.length * 2 < buffer.buffer.byteLength ? Buffer.from(buffer) : buffer
}
