/** Compares a screen with the expected screenshot. */
import type { MatcherVM } from '../matcher-vm.ts'
import type { WaitWindow } from '../wait-window.ts'
import type { KeptPicture } from './baseline.ts'
import type { Attempt } from './closest.ts'
import type { Box, Difference, differenceOf } from './picture.ts'
import { type ScreenshotOptions, THRESHOLD } from './screenshot-options.ts'

/** The arguments of a comparison. */
export interface Comparison {
  readonly vm: MatcherVM
  /** Takes a screenshot, cropped to the option `area`. */
  readonly take: () => Promise<Uint8Array>
  readonly window: WaitWindow
  /** Paths of the expected screenshots. */
  readonly paths: readonly string[]
  readonly options: ScreenshotOptions
  /** The function of `picture.ts`, a module that is loaded for the first comparison. */
  readonly differenceOf: typeof differenceOf
}

/** A shared list, because decoded screenshots are cached by the identity of the mask. */
const NO_MASK: readonly Box[] = []

/** Compares a screenshot with the expected ones, and returns the attempt with the fewest different pixels. */
export function compare(
  { options, differenceOf }: Comparison,
  expected: readonly KeptPicture[],
  picture: Uint8Array,
): Attempt | undefined {
  const { threshold = THRESHOLD, mask = NO_MASK } = options
  const attempts = expected.map((kept) => ({
    picture,
    expected: kept,
    difference: differenceOf(kept.bytes, picture, { threshold, mask }, kept.path),
  }))
  return attempts.toSorted((a, b) => a.difference.pixels - b.difference.pixels)[0]
}

/** Whether the difference is within the limits of the options. */
export function isAlike({ options }: Comparison, { pixels, box, expected }: Difference): boolean {
  if (pixels === 0) return true
  const { maxDiffPixels = 0, maxDiffPixelRatio = 0 } = options
  const most = Math.max(maxDiffPixels, maxDiffPixelRatio * expected.width * expected.height)
  return box !== undefined && pixels <= most
}
