import fc from 'fast-check'
import { expect, test } from 'vitest'
import { prefixed } from './frame-reader.ts'
import { padded } from './padding.ts'

test('pads short frames with zeros to 60 bytes and keeps others', () => {
  const frame = fc.oneof(fc.uint8Array({ maxLength: 62 }), fc.uint8Array({ minLength: 60, maxLength: 200 }))
  fc.assert(
    fc.property(fc.array(frame), (frames) => {
      const expected = frames.map((it) => Buffer.concat([it, Buffer.alloc(Math.max(0, 60 - it.length))]))
      expect(padded(Buffer.concat(frames.map(prefixed)))).toEqual(Buffer.concat(expected.map(prefixed)))
    }),
  )
})

test('does not copy if there is no short frame', () => {
  const frames = Buffer.concat([60, 1_514].map((length) => prefixed(Buffer.alloc(length))))
  expect(padded(frames)).toBe(frames)
})
