/** The results of tests that ran in a guest, whatever format they came in. */

import type { GuestTest } from '../../events/machine-event.ts'

/** What a report says. */
export interface TestReport {
  readonly tests: readonly GuestTest[]
  /** What is wrong with the report as a whole: tests planned that did not run, a bail out. */
  readonly problems: readonly string[]
}

/** Formats of reports. `ktap`: that of the Linux kernel’s own tests (Documentation/dev-tools/ktap.rst). */
export type TestFormat = 'tap' | 'ktap' | 'junit'

export const TEST_FORMATS: readonly TestFormat[] = ['tap', 'ktap', 'junit']

/** Lines of a log that are kept of a failed test, characters of each. */
const LINES = 50
const WIDTH = 500

/** The excerpt of a log. Undefined where there is none. */
export function logExcerpt(lines: readonly string[]): string | undefined {
  const printed = lines.filter((line, index) => line.trim() !== '' || index > 0)
  const text = printed
    .slice(-LINES)
    .map((line) => line.slice(0, WIDTH))
    .join('\n')
    .trimEnd()
  return text === '' ? undefined : text
}

/** What is optional is left out rather than undefined. */
export function guestTest(
  path: readonly string[],
  status: GuestTest['status'],
  more: { readonly [Key in 'durationMs' | 'message' | 'log']?: GuestTest[Key] | undefined } = {},
): GuestTest {
  const { durationMs, message, log } = more
  return Object.freeze({
    name: path.at(-1) ?? '',
    path: Object.freeze([...path]),
    status,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(message === undefined || message === '' ? {} : { message }),
    ...(log === undefined || status !== 'failed' ? {} : { log }),
  })
}
