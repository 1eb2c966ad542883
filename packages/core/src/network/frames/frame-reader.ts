/**
 * Reader of the stream format of QEMU's `stream` and `socket` network backends: each Ethernet frame has a length prefix
 * of four bytes, big-endian (net/stream.c, net/socket.c). Frames are neither copied nor decoded: they stay in the
 * buffer in which they arrived.
 */

/** Size of the length prefix of a frame, bytes. */
export const PREFIX_BYTES = 4

/** Longest frame that QEMU supports (NET_BUFSIZE in include/net/net.h), bytes. */
export const MAX_FRAME_BYTES: number = 4_096 + 65_536

const NOTHING = Buffer.alloc(0)

/** The data is not in the expected format, so the stream cannot be read any further. */
export class BrokenStreamError extends Error {
  override readonly name: string = 'BrokenStreamError'
}

/** Splits a byte stream at the ends of frames. One reader per stream. */
export class FrameReader {
  /** Start of an incomplete frame; even its prefix may be incomplete. */
  #rest: Buffer = NOTHING

  /**
   * Calls `emit` with buffers of complete frames in order, each with a length prefix. The buffers share the memory of
   * the chunk. Only a frame that was split between chunks is copied.
   *
   * @throws BrokenStreamError for an impossible length
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

  /** Extends the rest to `size` bytes, or to the end of the chunk. Returns the position after the used bytes. */
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

/** Adds the length prefix to a frame. */
export function prefixed(frame: Uint8Array): Buffer {
  const buffer = Buffer.allocUnsafe(PREFIX_BYTES + frame.length)
  buffer.writeUInt32BE(frame.length, 0)
  buffer.set(frame, PREFIX_BYTES)
  return buffer
}
