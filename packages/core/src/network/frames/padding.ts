/**
 * Pads frames to the minimum length of Ethernet. A virtio card sends shorter frames (ARP has 42 bytes), which the
 * stream backend of QEMU does not pad, and which its e1000e card counts as damaged.
 */
import { PREFIX_BYTES } from './frame-reader.ts'

/** Minimum length without checksum, bytes (IEEE 802.3, 3.2.8). */
const LEAST_BYTES = 60

/** Pads short frames with zeros. Each frame has a length prefix. Returns the same buffer if no frame is short. */
export function padded(frames: Buffer): Buffer {
  const pieces: Buffer[] = []
  let start = 0
  for (let position = 0; position < frames.length; ) {
    const length = frames.readUInt32BE(position)
    const next = position + PREFIX_BYTES + length
    if (length < LEAST_BYTES) {
      const long = Buffer.alloc(PREFIX_BYTES + LEAST_BYTES)
      frames.copy(long, 0, position, next)
      long.writeUInt32BE(LEAST_BYTES, 0)
      pieces.push(frames.subarray(start, position), long)
      start = next
    }
    position = next
  }
  return start === 0 ? frames : Buffer.concat([...pieces, frames.subarray(start)])
}
