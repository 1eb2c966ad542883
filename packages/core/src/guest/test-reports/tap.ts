/** Reads TAP, the Test Anything Protocol, versions 12 to 14: https://testanything.org */
import type { EventLog, FinalResults, Result } from 'tap-parser'
import type { GuestTest } from '../../events/machine-event.ts'
import { groupCases, guestTest, logExcerpt, planProblem, skippedReport, type TestReport } from './guest-test.ts'

/** A version line, which starts a separate report. */
const VERSION = /^(?=TAP version \d+\s*$)/m

/** The reason that tap-parser reports for a text without TAP. */
const NO_TESTS = 'no tests found'

/** @param text the raw output */
export async function readTap(text: string): Promise<TestReport> {
  const { Parser } = await import('tap-parser')
  const problems = new Set<string>()
  const [start = '', ...more] = text.split(VERSION)
  // Text before the first version line is a report only if it contains results or a plan.
  const documents = more.length > 0 && !/^\s*(?:not )?ok\b|^\s*1\.\.\d/m.test(start) ? more : [start, ...more]
  const tests = documents.flatMap((document) => readLevel(Parser.parse(document), [], problems).tests)
  return { tests, problems: [...problems] }
}

/** Results of one level of nesting. */
interface Level {
  readonly tests: readonly GuestTest[]
  /** Reason for an empty plan, which skips all tests. */
  readonly skipped: string | undefined
}

function readLevel(events: EventLog, path: readonly string[], problems: Set<string>): Level {
  const level = new TapLevel(path, problems)
  for (const event of events) level.read(event)
  return level.finish()
}

class TapLevel {
  readonly #path: readonly string[]
  readonly #problems: Set<string>
  readonly #tests: GuestTest[] = []
  /** The current subtest. The result after it has its name. */
  #child: EventLog | undefined
  #lines: string[] = []
  /** The last failed case. The lines after it belong to its log. */
  #failed: { readonly test: GuestTest; readonly at: number } | undefined
  #skipped: string | undefined

  constructor(path: readonly string[], problems: Set<string>) {
    this.#path = path
    this.#problems = problems
  }

  read(event: EventLog[number]): void {
    if (event[0] === 'comment' || event[0] === 'extra') this.#lines.push(event[1].trimEnd())
    else if (event[0] === 'child') this.#child = event[1]
    else if (event[0] === 'bailout') this.#problems.add(`Bail out! ${event[1]}`.trim())
    else if (event[0] === 'complete') this.#complete(event[1])
    else if (event[0] === 'assert') this.#result(event[1])
  }

  finish(): Level {
    this.#endCase()
    // If the guest ended during a subtest, its name is unknown.
    if (this.#child) this.#add(this.#group(guestTest(['unfinished subtest'], 'passed'), this.#child))
    const isEmpty = this.#tests.length === 0 && this.#skipped !== undefined && this.#path.length === 0
    return { tests: isEmpty ? [skippedReport(this.#skipped)] : this.#tests, skipped: this.#skipped }
  }

  #endCase(): void {
    if (this.#failed) {
      const { test, at } = this.#failed
      this.#tests[at] = guestTest(test.path, test.status, { ...test, log: logExcerpt(this.#lines) })
    }
    this.#failed = undefined
    this.#lines = []
  }

  #result({ ok, name, id, skip, todo, time, diag }: Result): void {
    const before = this.#failed ? [] : this.#lines
    this.#endCase()
    const status = statusOf(ok, skip, todo)
    const reason = [skip, todo].find((one) => typeof one === 'string' && one !== '')
    const message = typeof reason === 'string' ? reason : messageOf(diag)
    const own = guestTest([name === '' ? `test ${id}` : name], status, { message, duration: time ?? undefined })
    this.#add(this.#child ? this.#group(own, this.#child) : [own])
    this.#child = undefined
    if (status !== 'failed') return
    this.#lines = [...before, ...detailsOf(diag)]
    const at = this.#tests.length - 1
    if (this.#tests[at] === own) this.#failed = { test: own, at }
  }

  // Not spread into one call, because a call has a limited number of arguments.
  #add(tests: readonly GuestTest[]): void {
    for (const test of tests) this.#tests.push(test)
  }

  #group(own: GuestTest, events: EventLog): GuestTest[] {
    const { tests, skipped } = readLevel(events, [...this.#path, ...own.path], this.#problems)
    const isSkipped = tests.length === 0 && skipped !== undefined && own.status === 'passed'
    return groupCases(isSkipped ? guestTest(own.path, 'skipped', { message: skipped }) : own, tests)
  }

  #complete({ count, plan, failures }: FinalResults): void {
    const { start, end } = plan
    const where = this.#path.length === 0 ? '' : ` of ${this.#path.join(' > ')}`
    if (end === null || start === null)
      this.#problems.add(`There is no plan${where}, so it is unknown whether all tests ran`)
    else if (end - start + 1 !== count) this.#problems.add(planProblem(count, end - start + 1, where))
    if (plan.skipAll && plan.skipReason !== NO_TESTS) this.#skipped = plan.skipReason.replace(/^skip\S*\s*/i, '')
    // Test numbers that occur twice or are not in the plan.
    for (const { tapError, name, id } of failures) {
      if (tapError && id !== undefined) this.#problems.add(`${name || `test ${id}`}${where}: ${tapError}`)
    }
  }
}

/** Status of a result: `not ok` with SKIP is skipped, with TODO a known failure. */
function statusOf(ok: boolean, skip: boolean | string, todo: boolean | string): GuestTest['status'] {
  if (skip !== false) return 'skipped'
  if (todo !== false) return 'todo'
  return ok ? 'passed' : 'failed'
}

function messageOf(diag: unknown): string | undefined {
  const message: unknown = typeof diag === 'object' && diag !== null && 'message' in diag ? diag.message : undefined
  return typeof message === 'string' ? message : undefined
}

function detailsOf(diag: unknown): string[] {
  if (typeof diag !== 'object' || diag === null) return []
  return Object.entries(diag).map(
    ([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
}
