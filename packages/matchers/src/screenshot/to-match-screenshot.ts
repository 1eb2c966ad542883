import { OptionError } from '@coldboot/core'
import { now } from '@coldboot/core/internal'
import { awaitedMatcher, type Verdict } from '../awaited-matcher.ts'
import type { MatcherContext, MatcherResult } from '../matcher-context.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { type Seen, watchScreen } from '../screen-watch.ts'
import { waitWindow } from '../wait-window.ts'
import { account, baselinePath, type KeptPicture, readPictures, updateMode, writePicture } from './baseline.ts'
import { type Attempt, Closest } from './closest.ts'
import { type Comparison, compare, isAlike } from './comparison.ts'
import { screenOf } from './screen-of.ts'
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
  const names = Array.isArray(options.name) ? options.name : [options.name]
  const paths = names.map((name: string | undefined) => baselinePath(context, vm, name))
  const expected = readPictures(paths)
  // Before anything is awaited, so that the stack of the error begins at the call.
  if (context.isNot && expected.length === 0) throw noPicture(paths)
  const { cropped, differenceOf } = await import('./picture.ts')
  const { area } = options
  const take = async (): Promise<Uint8Array> => {
    const picture = await screen.screenshot()
    return area === undefined ? picture : cropped(picture, area)
  }
  const comparison: Comparison = { vm, take, window, paths, options, differenceOf }
  const mode = updateMode(context)
  if (context.isNot) return unlike(comparison, expected)
  if (expected.length > 0 && mode !== 'all') return like(context, comparison, expected)
  const seen = await whenStill(comparison)
  const { last } = seen
  if (last === undefined) return { pass: false, report: () => nothingSeen(comparison, seen) }
  if (mode === 'none') {
    account(context, 'unmatched')
    return { pass: false, report: nothingKept(comparison, last) }
  }
  const attempt = compare(comparison, expected, last)
  const kept = attempt !== undefined && isAlike(comparison, attempt.difference)
  const free = paths.find((path) => expected.every((one) => one.path !== path))
  if (!kept) writePicture(free ?? attempt?.expected.path ?? '', last)
  account(context, kept ? 'matched' : expected.length === 0 ? 'added' : 'updated')
  return { pass: true, report: () => isShown(comparison) }
}

/** Waits for a screenshot to match. */
async function like(
  context: MatcherContext,
  comparison: Comparison,
  expected: readonly KeptPicture[],
): Promise<Verdict> {
  const closest = new Closest()
  const seen = await watchFor(comparison, expected, closest)
  account(context, seen.found === undefined ? 'unmatched' : 'matched')
  if (seen.found !== undefined) return { pass: true, report: () => isShown(comparison) }
  const { attempt } = closest
  if (attempt === undefined) return { pass: false, report: () => nothingSeen(comparison, seen) }
  return { pass: false, report: differs(comparison, seen, attempt) }
}

/** Checks that no screenshot matches within the whole window. */
async function unlike(comparison: Comparison, expected: readonly KeptPicture[]): Promise<Verdict> {
  const seen = await watchFor(comparison, expected)
  if (seen.found === undefined && seen.last === undefined && seen.error !== undefined) throw seen.error
  return { pass: seen.found !== undefined, report: () => isShown(comparison) }
}

function noPicture(paths: readonly string[]): OptionError {
  return new OptionError(
    'FILE_MISSING',
    `There is no screenshot for \`.not.toMatchScreenshot()\`: ${paths.join(', ')}`,
    {
      hint: 'Write it first with `toMatchScreenshot()` without `.not`, while the screen shows the picture.',
    },
  )
}

function watchFor(
  comparison: Comparison,
  expected: readonly KeptPicture[],
  closest = new Closest(),
): Promise<Seen<Attempt, Uint8Array>> {
  const { vm, take, window } = comparison
  return watchScreen({
    vm,
    window,
    take,
    look(picture, last) {
      const isNew = last === undefined || !Buffer.from(last).equals(picture)
      const attempt = isNew ? compare(comparison, expected, picture) : closest.last
      if (attempt === undefined) return undefined
      closest.add(attempt, now())
      return isAlike(comparison, attempt.difference) ? attempt : undefined
    },
  })
}

/** Waits until the screen stops changing, or until the end of the window. */
function whenStill({ vm, take, window }: Comparison): Promise<Seen<object, Uint8Array>> {
  const stillness = new Stillness(now())
  const look = (picture: Uint8Array): object | undefined => (stillness.look(picture, now()) ? {} : undefined)
  return watchScreen({ vm, window, take, look })
}
