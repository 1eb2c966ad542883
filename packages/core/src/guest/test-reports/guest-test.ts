/** The results of tests that ran in a guest, whatever format they came in. */

import { stripVTControlCharacters } from 'node:util'
import type { GuestTest } from '../../events/machine-event.ts'

/** What a report says. */
export interface TestReport {
  readonly tests: readonly GuestTest[]
  /** What is wrong with the report as a whole: tests planned that did not run, a bail out. */
  readonly problems: readonly string[]
}

/** Formats of reports. `ktap`: that of the Linux kernel's own tests (Documentation/dev-tools/ktap.rst). */
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

/** The name of the case that stands for a whole report whose plan is empty (`1..0 # SKIP reason`). */
const ALL = 'all tests'

/** The one case of a report without tests: all of them were skipped. */
export function skippedReport(reason: string | undefined): GuestTest {
  return guestTest([ALL], 'skipped', { message: reason })
}

/**
 * The cases of a group, below its name. The group itself is a case where it has none, or where it failed although none
 * of its cases did. Cases that fail in a group that is known to fail are known to fail as well.
 * @param own the group's own result
 */
export function groupCases(own: GuestTest, children: readonly GuestTest[]): GuestTest[] {
  const cases = children.map(({ path, status, ...more }) =>
    guestTest([...own.path, ...path], own.status === 'todo' && status === 'failed' ? 'todo' : status, more),
  )
  const unexplained = own.status === 'failed' && cases.every(({ status }) => status !== 'failed')
  return cases.length === 0 || unexplained ? [...cases, own] : cases
}

/** The problem of a plan that was not kept. @param where ` of` the group, or empty */
export function planProblem(results: number, planned: number, where: string): string {
  const [ran, were] = [results === 1 ? 'test' : 'tests', planned === 1 ? 'was' : 'were']
  return `${results} ${ran}${where} ran, and ${planned} ${were} planned`
}

/** Text of a report without colours and control characters, which would hide its lines from a reader. */
export function plainReport(text: string): string {
  return stripVTControlCharacters(text).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '')
}
