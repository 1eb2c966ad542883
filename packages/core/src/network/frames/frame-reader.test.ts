import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BrokenStreamError, FrameReader, frameLength, MAX_FRAME_BYTES, PREFIX_BYTES, prefixed } from './frame-reader.ts'

/** Splits the emitted buffers into frames. */
function framesOf(buffers: readonly Buffer[]): Buffer[] {
  const frames: Buffer[] = []
  for (const buffer of buffers) {
    let position = 0
    while (position < buffer.length) {
      const start = position + PREFIX_BYTES
      position = start + frameLength(buffer, position)
      frames.push(buffer.subarray(start, position))
    }
    expect(position).toBe(buffer.length)
  }
  return frames
}

test('returns the same frames for any chunks', () => {
  const frame = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 1_000, maxLength: 3_000 }))
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4_000 })), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), cuts, (frames, sizes) => {
      const bytes = Buffer.concat(frames.map(prefixed))
      const reader = new FrameReader()
      const emitted: Buffer[] = []
      for (let position = 0, turn = 0; position < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        reader.push(bytes.subarray(position, position + size), (buffer) => emitted.push(buffer))
        position += size
      }
      expect(framesOf(emitted)).toEqual(frames.map((it) => Buffer.from(it)))
    }),
  )
})

test('does not copy complete frames', () => {
  const chunk = Buffer.concat([Buffer.alloc(60, 1), Buffer.alloc(1_514, 2)].map(prefixed))
  const emitted: Buffer[] = []
  new FrameReader().push(chunk, (buffer) => emitted.push(buffer))
  expect(emitted).toHaveLength(1)
  expect(emitted[0]?.buffer).toBe(chunk.buffer)
  expect(emitted[0]).toEqual(chunk)
})

test('accepts the longest frame and rejects a longer one', () => {
  const emitted: Buffer[] = []
  const reader = new FrameReader()
  reader.push(prefixed(Buffer.alloc(MAX_FRAME_BYTES)), (buffer) => emitted.push(buffer))
  expect(emitted[0]).toHaveLength(PREFIX_BYTES + MAX_FRAME_BYTES)
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(MAX_FRAME_BYTES + 1)
  expect(() => reader.push(prefix, () => {})).toThrow(BrokenStreamError)
})
