import { OptionError } from '@coldboot/core'
import { awaitedMatcher, type Verdict } from '../awaited-matcher.ts'
import type { MatcherContext, MatcherResult } from '../matcher-context.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { waitWindow } from '../wait-window.ts'
import { account, baselinePath, readPicture, updateMode, writePicture } from './baseline.ts'
import { Closest } from './closest.ts'
import { type Comparison, compare, isAlike } from './comparison.ts'
import type { Difference } from './picture.ts'
import { screenOf } from './screen-of.ts'
import { type Seen, watchScreen } from './screen-watch.ts'
import { checkScreenshotOptions, type ScreenshotOptions } from './screenshot-options.ts'
import { differs, isShown, nothingKept, nothingSeen } from './screenshot-report.ts'
import { Stillness } from './stillness.ts'

/** Waits until the screen of a machine matches the screenshot beside the test; with `.not`, checks that it never does. */
export function toMatchScreenshot(
  this: MatcherContext,
  received: unknown,
  options: ScreenshotOptions = {},
): Promise<MatcherResult> {
  return awaitedMatcher(this, 'toMatchScreenshot', received, [options], (vm) => judge(this, vm, options))
}

async function judge(context: MatcherContext, vm: MatcherVM, options: ScreenshotOptions): Promise<Verdict> {
  checkScreenshotOptions(options)
  const screen = screenOf(vm, options.display)
  const window = waitWindow(context, vm, options.timeout)
  const path = baselinePath(context, vm, options.name)
  const expected = readPicture(path)
  // Before anything is awaited, so that the stack of the error begins at the call.
  if (context.isNot && expected === undefined) throw noPicture(path)
  const { differenceOf } = await import('./picture.ts')
  const comparison: Comparison = { vm, screen, window, path, options, differenceOf }
  const mode = updateMode(context)
  if (context.isNot && expected !== undefined) return unlike(comparison, expected)
  if (expected !== undefined && mode !== 'all') return like(context, comparison, expected)
  const seen = await whenStill(comparison)
  const { last } = seen
  if (last === undefined) return { pass: false, report: () => nothingSeen(comparison, seen) }
  if (mode === 'none') {
    account(context, 'unmatched')
    return { pass: false, report: nothingKept(comparison, last) }
  }
  const difference = expected && compare(comparison, expected, last)
  const kept = difference !== undefined && isAlike(comparison, difference)
  if (!kept) writePicture(path, last)
  account(context, kept ? 'matched' : expected === undefined ? 'added' : 'updated')
  return { pass: true, report: () => isShown(comparison) }
}

/** Waits for the screenshot to match. */
async function like(context: MatcherContext, comparison: Comparison, expected: Uint8Array): Promise<Verdict> {
  const closest = new Closest()
  const seen = await watchFor(comparison, expected, closest)
  account(context, seen.found === undefined ? 'unmatched' : 'matched')
  if (seen.found !== undefined) return { pass: true, report: () => isShown(comparison) }
  const { attempt } = closest
  if (attempt === undefined) return { pass: false, report: () => nothingSeen(comparison, seen) }
  return { pass: false, report: differs(comparison, seen, expected, attempt) }
}

/** Checks that the screenshot does not match within the whole window. */
async function unlike(comparison: Comparison, expected: Uint8Array): Promise<Verdict> {
  const seen = await watchFor(comparison, expected)
  if (seen.found === undefined && seen.last === undefined && seen.error !== undefined) throw seen.error
  return { pass: seen.found !== undefined, report: () => isShown(comparison) }
}

function noPicture(path: string): OptionError {
  return new OptionError('FILE_MISSING', `There is no screenshot for \`.not.toMatchScreenshot()\`: ${path}`, {
    hint: 'Write it first with `toMatchScreenshot()` without `.not`, while the screen shows the picture.',
  })
}

function watchFor(comparison: Comparison, expected: Uint8Array, closest = new Closest()): Promise<Seen<Difference>> {
  const { vm, screen, window } = comparison
  return watchScreen(vm, screen, window, (picture, isNew) => {
    const difference = isNew ? compare(comparison, expected, picture) : closest.last
    if (difference === undefined) return undefined
    closest.add({ picture, difference }, performance.now())
    return isAlike(comparison, difference) ? difference : undefined
  })
}

/** Waits until the screen stops changing, or until the end of the window. */
function whenStill({ vm, screen, window }: Comparison): Promise<Seen<object>> {
  const stillness = new Stillness(performance.now())
  return watchScreen(vm, screen, window, (picture) => (stillness.look(picture, performance.now()) ? {} : undefined))
}
