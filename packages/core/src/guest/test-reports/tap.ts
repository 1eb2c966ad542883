/** Reads TAP, the Test Anything Protocol, versions 12 to 14: https://testanything.org */
import type { EventLog } from 'tap-parser'
import type { GuestTest } from '../../events/machine-event.ts'
import { guestTest, logExcerpt, type TestReport } from './guest-test.ts'

/** @param text the output, as it was printed */
export async function readTap(text: string): Promise<TestReport> {
  const { Parser } = await import('tap-parser')
  const report = new TapReport()
  report.read(Parser.parse(text), [])
  return report
}

class TapReport implements TestReport {
  readonly tests: GuestTest[] = []
  readonly problems: string[] = []

  read(events: EventLog, path: readonly string[]): void {
    // What a subtest is called is only told by the result that follows it.
    let child: EventLog | undefined
    let lines: string[] = []
    let failed:
      | { readonly path: readonly string[]; readonly message: string | undefined; readonly at: number }
      | undefined
    const finish = (): void => {
      // TAP puts what there is to say about a result behind it.
      if (failed)
        this.tests[failed.at] = guestTest(failed.path, 'failed', { message: failed.message, log: logExcerpt(lines) })
      failed = undefined
      lines = []
    }
    for (const event of events) {
      if (event[0] === 'comment' || event[0] === 'extra') lines.push(event[1].trimEnd())
      else if (event[0] === 'child') child = event[1]
      else if (event[0] === 'bailout') this.problems.push(`Bail out! ${event[1]}`.trim())
      else if (event[0] === 'complete') this.#check(event[1], path)
      else if (event[0] === 'assert') {
        const before = failed ? [] : lines
        finish()
        const { ok, name, id, skip, todo, time, diag } = event[1]
        const full = [...path, name === '' ? `test ${id}` : name]
        if (child) this.read(child, full)
        else {
          const status = statusOf(ok, skip, todo)
          const told = [skip, todo].find((reason) => typeof reason === 'string' && reason !== '')
          const message = typeof told === 'string' ? told : messageOf(diag)
          if (status === 'failed') failed = { path: full, message, at: this.tests.length }
          if (status === 'failed') lines = [...before, ...detailsOf(diag)]
          this.tests.push(guestTest(full, status, { message, durationMs: time ?? undefined }))
        }
        child = undefined
      }
    }
    finish()
    // A guest that ended in the middle of a subtest never told its name.
    if (child) this.read(child, [...path, 'unfinished subtest'])
  }

  #check(
    result: { readonly count: number; readonly plan: { readonly start: number | null; readonly end: number | null } },
    path: readonly string[],
  ): void {
    const { start, end } = result.plan
    const where = path.length === 0 ? '' : ` of ${path.join(' > ')}`
    if (end === null || start === null)
      this.problems.push(`There is no plan${where}: nothing tells whether all tests ran`)
    else if (end - start + 1 !== result.count)
      this.problems.push(`${result.count} tests${where} ran, and ${end - start + 1} were planned`)
  }
}

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
