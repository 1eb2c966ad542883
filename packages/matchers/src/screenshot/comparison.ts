/** Compares a screen with the expected screenshot. */
import type { Screen } from '@coldboot/core'
import type { MatcherVM } from '../matcher-vm.ts'
import type { WaitWindow } from '../wait-window.ts'
import type { Box, Difference, differenceOf } from './picture.ts'
import { type ScreenshotOptions, THRESHOLD } from './screenshot-options.ts'

/** The arguments of a comparison. */
export interface Comparison {
  readonly vm: MatcherVM
  readonly screen: Screen
  readonly window: WaitWindow
  /** Path of the expected screenshot. */
  readonly path: string
  readonly options: ScreenshotOptions
  /** Of `picture.ts`, which is loaded with the first comparison. */
  readonly differenceOf: typeof differenceOf
}

/** A shared list, because decoded screenshots are cached by the identity of the mask. */
const NO_MASK: readonly Box[] = []

/** Compares a screenshot with the expected one. */
export function compare(
  { path, options, differenceOf }: Comparison,
  expected: Uint8Array,
  actual: Uint8Array,
): Difference {
  const { threshold = THRESHOLD, mask = NO_MASK } = options
  return differenceOf(expected, actual, { threshold, mask }, path)
}

/** Whether the difference is within the limits of the options. */
export function isAlike({ options }: Comparison, { pixels, box, expected }: Difference): boolean {
  if (pixels === 0) return true
  const { maxDiffPixels = 0, maxDiffPixelRatio = 0 } = options
  const most = Math.max(maxDiffPixels, maxDiffPixelRatio * expected.width * expected.height)
  return box !== undefined && pixels <= most
}
