import { PNG } from 'pngjs'
import { describe, expect, test } from 'vitest'
import { type Box, differenceOf } from './picture.ts'

/** A black picture with white boxes. */
function picture(width: number, height: number, ...boxes: readonly Box[]): Uint8Array {
  const png = new PNG({ width, height })
  for (let at = 3; at < png.data.length; at += 4) png.data[at] = 0xff
  for (const box of boxes) {
    for (let y = box.y; y < box.y + box.height; y++) {
      png.data.fill(0xff, (y * width + box.x) * 4, (y * width + box.x + box.width) * 4)
    }
  }
  return PNG.sync.write(png)
}

const BOX: Box = { x: 3, y: 2, width: 4, height: 5 }
const EXACT = { threshold: 0.1, mask: [] }

describe('two pictures', () => {
  test('two pictures with equal pixels have no difference', () => {
    expect(differenceOf(picture(20, 10, BOX), picture(20, 10, BOX), EXACT, 'a.png')).toMatchObject({
      pixels: 0,
      box: undefined,
    })
  })

  test('differ in a box, which is red in the difference picture', () => {
    const difference = differenceOf(picture(20, 10), picture(20, 10, BOX), EXACT, 'a.png')
    expect(difference).toMatchObject({ pixels: 20, box: BOX })
    const { data, width } = PNG.sync.read(Buffer.from(difference.picture?.() ?? []))
    expect([...data.subarray((2 * width + 3) * 4, (2 * width + 3) * 4 + 3)]).toEqual([255, 0, 0])
  })

  test('do not differ in masked parts, even if a mask exceeds the picture', () => {
    const mask = [{ x: 3, y: 2, width: 4, height: 4 }]
    expect(differenceOf(picture(20, 10), picture(20, 10, BOX), { ...EXACT, mask }, 'a.png')).toMatchObject({
      pixels: 4,
    })
    const all = [{ x: 0, y: 0, width: 100, height: 100 }]
    expect(differenceOf(picture(20, 10), picture(20, 10, BOX), { ...EXACT, mask: all }, 'a')).toMatchObject({
      pixels: 0,
    })
    const beyond = [{ x: 50, y: 50, width: 5, height: 5 }]
    expect(differenceOf(picture(20, 10), picture(20, 10), { ...EXACT, mask: beyond }, 'a')).toMatchObject({ pixels: 0 })
  })

  test('two pictures of different sizes differ in all pixels', () => {
    expect(differenceOf(picture(20, 10), picture(10, 20), EXACT, 'a.png')).toEqual({
      expected: { width: 20, height: 10 },
      actual: { width: 10, height: 20 },
      pixels: 200,
      box: undefined,
      picture: undefined,
    })
  })

  test('cannot be compared if the expected file is not a PNG, and the error names it', () => {
    expect(() => differenceOf(Uint8Array.of(1, 2), picture(1, 1), EXACT, 'a.png')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('a.png') }),
    )
  })
})
