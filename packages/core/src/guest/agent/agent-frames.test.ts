import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, encodeTexts, FrameReader } from './agent-frames.ts'

test('decodes the same frames for any chunks', () => {
  const frame = fc.record({ type: fc.nat(255), id: fc.nat(2 ** 31 - 1), payload: fc.uint8Array({ maxLength: 300 }) })
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(3000), { maxLength: 12 }), (frames, places) => {
      const bytes = Buffer.concat(frames.map(({ type, id, payload }) => encodeFrame(type, id, payload)))
      const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
      const reader = new FrameReader()
      const read = cuts.slice(1).flatMap((end, index) => reader.push(bytes.subarray(cuts[index], end)))
      expect(read.map(({ payload, ...rest }) => ({ ...rest, payload: [...payload] }))).toEqual(
        frames.map(({ payload, ...rest }) => ({ ...rest, payload: [...payload] })),
      )
    }),
  )
})

test('encodes texts with a NUL after each', () => {
  expect(encodeTexts(['a', '', 'é'])).toEqual(Buffer.from('a\0\0é\0'))
})
