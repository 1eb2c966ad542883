/** Options of `toMatchScreenshot`, and their checks. */
import { type Display, OptionError } from '@coldboot/core'
import { formatValue } from '../format-call.ts'
import { checkOptionNames } from '../option-names.ts'
import type { WindowOptions } from '../wait-window.ts'
import type { Box } from './picture.ts'

/** Options of `toMatchScreenshot`. */
export interface ScreenshotOptions extends WindowOptions {
  /**
   * File name of the screenshot. Of several names, any of the screenshots must match; a new one is written to the first name
   * that has none. @default made from the test name
   */
  readonly name?: string | readonly string[] | undefined
  /** The display to use, if the machine has several. @default the only one */
  readonly display?: Display | undefined
  /** How much the colors of a pixel may differ, from 0 (not at all) to 1 (any color). @default 0.1 */
  readonly threshold?: number | undefined
  /** Number of pixels that may differ. @default 0 */
  readonly maxDiffPixels?: number | undefined
  /** Fraction of the pixels that may differ, 0 to 1. @default 0 */
  readonly maxDiffPixelRatio?: number | undefined
  /** The part of the screen that is compared and stored, in whole pixels. @default all of it */
  readonly area?: Box | undefined
  /** Parts of the screen, or of the area, to ignore, such as a clock. @default [] */
  readonly mask?: readonly Box[] | undefined
}

/** Default color distance below which pixels count as equal. */
export const THRESHOLD = 0.1

const isNumber = (value: unknown): value is number => typeof value === 'number' && value >= 0
const isPart = (value: unknown): boolean => isNumber(value) && value <= 1

const CHECKS: Readonly<Record<keyof ScreenshotOptions, readonly [what: string, test: (value: unknown) => boolean]>> = {
  timeout: ['a number of milliseconds', isNumber],
  name: [
    'a string, or a list of different strings',
    (value) =>
      typeof value === 'string' || (Array.isArray(value) && value.length > 0 && new Set(value).size === value.length),
  ],
  display: ['a display()', (value) => typeof value === 'object' && value !== null && 'of' in value],
  threshold: ['a number from 0 to 1', isPart],
  maxDiffPixels: ['a number, 0 or more', isNumber],
  maxDiffPixelRatio: ['a number from 0 to 1', isPart],
  area: ['a box { x, y, width, height } of whole pixels', isWholeBox],
  mask: ['a list of boxes { x, y, width, height }', (value) => Array.isArray(value) && value.every(isBox)],
}

function isBox(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return ['x', 'y', 'width', 'height'].every((key) => isNumber(Reflect.get(value, key)))
}

function isWholeBox(value: unknown): boolean {
  return isBox(value) && Object.values(value as Box).every(Number.isInteger)
}

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function checkScreenshotOptions(options: ScreenshotOptions): void {
  checkOptionNames('toMatchScreenshot', options, Object.keys(CHECKS))
  for (const [key, value] of Object.entries(options)) {
    const [what, test] = CHECKS[key as keyof ScreenshotOptions]
    if (value === undefined || test(value)) continue
    throw new OptionError(
      'INVALID_OPTION',
      `toMatchScreenshot: \`${key}\` must be ${what}, and is ${formatValue(value)}`,
    )
  }
}
