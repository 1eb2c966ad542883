/** One comparison of a screen with the picture that is kept. */
import type { Screen } from '@coldboot/core'
import type { MatcherVM } from '../matcher-vm.ts'
import type { WaitWindow } from '../wait-window.ts'
import { type Box, type Difference, differenceOf } from './picture.ts'
import { type ScreenshotOptions, THRESHOLD } from './screenshot-options.ts'

/** What is compared, and how. */
export interface Comparison {
  readonly vm: MatcherVM
  readonly screen: Screen
  readonly window: WaitWindow
  /** Of the picture that is kept. */
  readonly path: string
  readonly options: ScreenshotOptions
}

/** One list for all: what is masked is painted over once. */
const NO_MASK: readonly Box[] = []

/** What a picture differs in from the one that is kept. */
export function compare({ path, options }: Comparison, expected: Uint8Array, actual: Uint8Array): Difference {
  const { threshold = THRESHOLD, mask = NO_MASK } = options
  return differenceOf(expected, actual, { threshold, mask }, path)
}

/** Whether the differences are to be let pass. */
export function isAlike({ options }: Comparison, { pixels, box, expected }: Difference): boolean {
  if (pixels === 0) return true
  const { maxDiffPixels = 0, maxDiffPixelRatio = 0 } = options
  const most = Math.max(maxDiffPixels, maxDiffPixelRatio * expected.width * expected.height)
  return box !== undefined && pixels <= most
}
