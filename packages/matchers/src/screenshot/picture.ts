/** Compares two PNG files by pixel. */
import { OptionError } from '@coldboot/core'
import pixelmatch from 'pixelmatch'
import { PNG } from 'pngjs'

/** A rectangle, in pixels from the upper left corner. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Options of a comparison. */
export interface Tolerance {
  /** How much the colors of a pixel may differ, from 0 (not at all) to 1 (black equals white). */
  readonly threshold: number
  /** Parts that are not compared. */
  readonly mask: readonly Box[]
}

/** The difference of two pictures. */
export interface Difference {
  readonly expected: Size
  readonly actual: Size
  /** Number of different pixels; all pixels if the sizes differ. */
  readonly pixels: number
  /** The smallest box around the different pixels; undefined if the sizes differ. */
  readonly box: Box | undefined
  /** Creates a PNG file of the pale expected picture with different pixels in red. Undefined if no pixel or the size differs. */
  readonly picture: (() => Uint8Array) | undefined
}

interface Size {
  readonly width: number
  readonly height: number
}

/**
 * Compares two PNG files.
 * @param name path of the expected file, for the error
 * @throws OptionError `INVALID_OPTION` if the expected file is not a PNG file
 */
export function differenceOf(
  expected: Uint8Array,
  actual: Uint8Array,
  { threshold, mask }: Tolerance,
  name: string,
): Difference {
  const wanted = decoded(expected, mask, name)
  // Equal pixels usually result in equal files.
  if (Buffer.from(expected).equals(actual)) {
    return { expected: sizeOf(wanted), actual: sizeOf(wanted), pixels: 0, box: undefined, picture: undefined }
  }
  const given = PNG.sync.read(Buffer.from(actual))
  const sizes = { expected: sizeOf(wanted), actual: sizeOf(given) }
  const { width, height } = wanted
  if (width !== given.width || height !== given.height) {
    const pixels = Math.max(width * height, given.width * given.height)
    return { ...sizes, pixels, box: undefined, picture: undefined }
  }
  for (const box of mask) paintOver(given, box)
  // Guests draw deterministically, so anti-aliased pixels are compared as well.
  const options = { threshold, includeAA: true }
  const shown = new PNG({ width, height })
  const pixels = pixelmatch(wanted.data, given.data, shown.data, width, height, options)
  if (pixels === 0) return { ...sizes, pixels, box: undefined, picture: undefined }
  return { ...sizes, pixels, box: boxOf(shown), picture: () => PNG.sync.write(shown) }
}

/**
 * Cuts a part out of a PNG file.
 * @throws OptionError `INVALID_OPTION` if the part is not inside the picture
 */
export function cropped(bytes: Uint8Array, { x, y, width, height }: Box): Uint8Array {
  const whole = PNG.sync.read(Buffer.from(bytes))
  if (x + width > whole.width || y + height > whole.height || width === 0 || height === 0) {
    throw new OptionError(
      'INVALID_OPTION',
      `toMatchScreenshot: \`area\` is not on the screen, which has ${whole.width} by ${whole.height} pixels`,
    )
  }
  const part = new PNG({ width, height })
  PNG.bitblt(whole, part, x, y, width, height, 0, 0)
  return PNG.sync.write(part)
}

/** Cache of decoded and masked expected pictures, which are compared with many screenshots. */
const wantedPictures = new WeakMap<Uint8Array, { readonly mask: readonly Box[]; readonly png: PNG }>()

function decoded(bytes: Uint8Array, mask: readonly Box[], name: string): PNG {
  const known = wantedPictures.get(bytes)
  if (known?.mask === mask) return known.png
  const png = readBaseline(bytes, name)
  for (const box of mask) paintOver(png, box)
  wantedPictures.set(bytes, { mask, png })
  return png
}

function readBaseline(bytes: Uint8Array, name: string): PNG {
  try {
    return PNG.sync.read(Buffer.from(bytes))
  } catch (error) {
    throw new OptionError('INVALID_OPTION', `The expected screenshot is not a PNG file: ${name}`, {
      hint: 'Remove the file, and run the test again to write it.',
      cause: error,
    })
  }
}

function sizeOf({ width, height }: PNG): Size {
  return { width, height }
}

function paintOver({ data, width, height }: PNG, box: Box): void {
  const [left, right] = [Math.max(box.x, 0), Math.min(box.x + box.width, width)]
  for (let y = Math.max(box.y, 0); y < Math.min(box.y + box.height, height); y++) {
    if (right > left) data.fill(0xff, (y * width + left) * 4, (y * width + right) * 4)
  }
}

/** The box around the pixels that pixelmatch paints red. All others are gray. */
function boxOf({ data, width, height }: PNG): Box {
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4
      if (data[at] === data[at + 1]) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = y
    }
  }
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }
}
