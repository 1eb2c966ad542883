/** Pictures as pixels: what two of them differ in. */
import { OptionError } from '@coldboot/core'
import pixelmatch from 'pixelmatch'
import { PNG } from 'pngjs'

/** A part of a picture, in pixels from its upper left corner. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** How pictures are compared. */
export interface Tolerance {
  /** How much the colours of a pixel may differ, 0 (not at all) to 1 (black and white are alike). */
  readonly threshold: number
  /** Parts that are not compared. */
  readonly mask: readonly Box[]
}

/** What two pictures differ in. */
export interface Difference {
  readonly expected: Size
  readonly actual: Size
  /** Pixels that differ; all of them when the sizes do. */
  readonly pixels: number
  /** The smallest box around them; undefined when the sizes differ. */
  readonly box: Box | undefined
  /** Makes a PNG file: the expected picture, pale, with those pixels in red. Undefined when the sizes differ, or nothing. */
  readonly picture: (() => Uint8Array) | undefined
}

interface Size {
  readonly width: number
  readonly height: number
}

/**
 * Compares two PNG files.
 * @param name of the expected one’s file, for the error
 * @throws OptionError `INVALID_OPTION` when the expected one is no picture
 */
export function differenceOf(
  expected: Uint8Array,
  actual: Uint8Array,
  { threshold, mask }: Tolerance,
  name: string,
): Difference {
  const wanted = decoded(expected, mask, name)
  // As a rule the same pixels make the same file.
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
  // A guest draws the same pixels each time: what looks like smoothing is compared too.
  const options = { threshold, includeAA: true }
  const shown = new PNG({ width, height })
  const pixels = pixelmatch(wanted.data, given.data, shown.data, width, height, options)
  if (pixels === 0) return { ...sizes, pixels, box: undefined, picture: undefined }
  return { ...sizes, pixels, box: boxOf(shown), picture: () => PNG.sync.write(shown) }
}

/** The one that is kept, with what is masked painted over: it is compared with many. */
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
    throw new OptionError('INVALID_OPTION', `The picture to compare with is no PNG file: ${name}`, {
      hint: 'Remove it, and let the test write it anew.',
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

/** Around what pixelmatch paints red; the rest it paints grey. */
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
