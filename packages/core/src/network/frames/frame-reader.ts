/**
 * The stream that QEMU's `stream` and `socket` network backends speak: each Ethernet frame behind its length, four bytes,
 * big-endian (net/stream.c, net/socket.c). Frames are not taken apart here: many of them stay in the buffer they came in,
 * and are passed on by it.
 */

/** Bytes before each frame. */
export const PREFIX_BYTES = 4

/** The longest frame QEMU handles (NET_BUFSIZE in include/net/net.h), bytes. */
export const MAX_FRAME_BYTES: number = 4_096 + 65_536

const NOTHING = Buffer.alloc(0)

/** What came is no such stream. Nothing after it can be trusted. */
export class BrokenStreamError extends Error {
  override readonly name: string = 'BrokenStreamError'
}

/** Cuts a byte stream where frames end. One reader per stream. */
export class FrameReader {
  /** Begin of a frame that has not come whole; the prefix itself may be short. */
  #rest: Buffer = NOTHING

  /**
   * Calls `emit` with buffers of whole frames, each behind its length, in the order they came. The buffers are the
   * chunk's own memory; only a frame that was split between chunks is copied.
   *
   * @throws BrokenStreamError for a length no frame can have
   */
  push(chunk: Buffer, emit: (frames: Buffer) => void): void {
    let start = 0
    if (this.#rest.length > 0) {
      start = this.#extend(chunk, start, PREFIX_BYTES)
      if (this.#rest.length < PREFIX_BYTES) return
      const whole = PREFIX_BYTES + frameLength(this.#rest, 0)
      start = this.#extend(chunk, start, whole)
      if (this.#rest.length < whole) return
      emit(this.#rest)
    }
    let end = start
    while (end + PREFIX_BYTES <= chunk.length) {
      const next = end + PREFIX_BYTES + frameLength(chunk, end)
      if (next > chunk.length) break
      end = next
    }
    if (end > start) emit(chunk.subarray(start, end))
    this.#rest = chunk.subarray(end)
  }

  /** Lengthens the rest to `size` bytes, as far as the chunk goes; returns the position behind what was taken. */
  #extend(chunk: Buffer, from: number, size: number): number {
    const end = Math.min(from + Math.max(0, size - this.#rest.length), chunk.length)
    if (end > from) this.#rest = Buffer.concat([this.#rest, chunk.subarray(from, end)])
    return end
  }
}

/** Length of the frame whose prefix is at `offset`, bytes. @throws BrokenStreamError */
export function frameLength(buffer: Buffer, offset: number): number {
  const length = buffer.readUInt32BE(offset)
  if (length > MAX_FRAME_BYTES) throw new BrokenStreamError(`A frame of ${length} bytes was announced`)
  return length
}

/** A frame behind its length. */
export function prefixed(frame: Uint8Array): Buffer {
  const buffer = Buffer.allocUnsafe(PREFIX_BYTES + frame.length)
  buffer.writeUInt32BE(frame.length, 0)
  buffer.set(frame, PREFIX_BYTES)
  return buffer
}
