/** Results of tests in a guest, independent of the report format. */

import { stripVTControlCharacters } from 'node:util'
import type { GuestTest } from '../../events/machine-event.ts'

/** A parsed report. */
export interface TestReport {
  readonly tests: readonly GuestTest[]
  /** Problems of the report as a whole: planned tests that did not run, a bail out. */
  readonly problems: readonly string[]
}

/** Formats of reports. Tests of the Linux kernel print `ktap` (Documentation/dev-tools/ktap.rst). */
export type TestFormat = 'tap' | 'ktap' | 'junit'

export const TEST_FORMATS: readonly TestFormat[] = ['tap', 'ktap', 'junit']

/** Most lines of the log of a failed test, and most characters of a line. */
const LINES = 50
const WIDTH = 500

/** The end of a log; undefined if it is empty. */
export function logExcerpt(lines: readonly string[]): string | undefined {
  const printed = lines.filter((line, index) => line.trim() !== '' || index > 0)
  const text = printed
    .slice(-LINES)
    .map((line) => line.slice(0, WIDTH))
    .join('\n')
    .trimEnd()
  return text === '' ? undefined : text
}

/** Creates a GuestTest, without undefined properties. */
export function guestTest(
  path: readonly string[],
  status: GuestTest['status'],
  more: { readonly [Key in 'duration' | 'message' | 'log']?: GuestTest[Key] | undefined } = {},
): GuestTest {
  const { duration, message, log } = more
  return Object.freeze({
    name: path.at(-1) ?? '',
    path: Object.freeze([...path]),
    status,
    ...(duration === undefined ? {} : { duration }),
    ...(message === undefined || message === '' ? {} : { message }),
    ...(log === undefined || status !== 'failed' ? {} : { log }),
  })
}

/** Name of the single case of a report with an empty plan (`1..0 # SKIP reason`). */
const ALL = 'all tests'

/** The single case of a report in which all tests were skipped. */
export function skippedReport(reason: string | undefined): GuestTest {
  return guestTest([ALL], 'skipped', { message: reason })
}

/**
 * The cases of a group, with the name of the group in their path. The group itself is a case if it has no cases, or if
 * it failed although none of its cases failed. If the group is marked as a known failure, so are its failed cases.
 * @param own result of the group itself
 */
export function groupCases(own: GuestTest, children: readonly GuestTest[]): GuestTest[] {
  const cases = children.map(({ path, status, ...more }) =>
    guestTest([...own.path, ...path], own.status === 'todo' && status === 'failed' ? 'todo' : status, more),
  )
  const unexplained = own.status === 'failed' && cases.every(({ status }) => status !== 'failed')
  return cases.length === 0 || unexplained ? [...cases, own] : cases
}

/** Text for a plan with another number of tests than were run. @param where such as ` of group`, or empty */
export function planProblem(results: number, planned: number, where: string): string {
  const [ran, were] = [results === 1 ? 'test' : 'tests', planned === 1 ? 'was' : 'were']
  return `${results} ${ran}${where} ran, and ${planned} ${were} planned`
}

/** Removes colours and control characters from a report. */
export function plainReport(text: string): string {
  return stripVTControlCharacters(text).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '')
}
