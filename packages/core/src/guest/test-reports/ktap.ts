/**
 * Reads KTAP, the format of the tests of the Linux kernel: KUnit, and kselftest with `# ` before the results of each
 * file (Documentation/dev-tools/ktap.rst).
 */
import type { GuestTest } from '../../events/machine-event.ts'
import { groupCases, guestTest, logExcerpt, planProblem, skippedReport, type TestReport } from './guest-test.ts'
import { type KtapResult, parseKtapLine } from './ktap-line.ts'

/** Results of one plan. */
interface Document {
  planned: number | undefined
  results: number
}

/** One level of nesting: the results since the last result of the level above. */
interface Level {
  /** Indentation of its lines, columns. */
  readonly width: number
  /** Name of the group in its header. */
  name: string | undefined
  readonly tests: GuestTest[]
  /** One document for each version line. */
  readonly documents: Document[]
  /** Reason for an empty plan, which skips all tests. */
  skipped: string | undefined
}

/** @param text output of a program, or a kernel log */
export function readKtap(text: string): TestReport {
  const reader = new KtapReader()
  for (const line of text.split('\n')) reader.read(line)
  return reader.finish()
}

class KtapReader {
  readonly #problems: string[] = []
  /** The open levels, each with a larger indentation than the one before. */
  readonly #levels: Level[] = []
  #lines: string[] = []
  /** Name in the header of the next group. */
  #header: string | undefined

  read(raw: string): void {
    const line = parseKtapLine(raw)
    if (line.kind === 'text') {
      this.#lines.push(line.text)
      this.#header = line.header ?? this.#header
      return
    }
    if (line.kind === 'bail-out') {
      this.#problems.push(line.text)
      return
    }
    // Lines of a kernel log before a report do not belong to its first test.
    if (line.kind === 'version' && line.width <= (this.#levels[0]?.width ?? line.width)) this.#lines = []
    const closed = this.#close(line.width)
    const level = this.#level(line.width)
    if (line.kind === 'result') this.#addResult(level, line, closed)
    else {
      this.#unfinished(closed, level.tests)
      this.#open(level, line.kind === 'plan' ? line : undefined)
    }
  }

  finish(): TestReport {
    const [top, ...open] = this.#levels
    const tests = top?.tests ?? []
    this.#unfinished(open, tests)
    if (top) this.#check(top, '')
    if (top && tests.length === 0 && top.skipped !== undefined) tests.push(skippedReport(top.skipped))
    return { tests, problems: this.#problems }
  }

  /** Removes the levels with a larger indentation from the stack. */
  #close(width: number): Level[] {
    const first = this.#levels.findIndex((level) => level.width > width)
    return first < 0 ? [] : this.#levels.splice(first)
  }

  #level(width: number): Level {
    const last = this.#levels.at(-1)
    if (last?.width === width) return last
    const name = this.#header
    this.#header = undefined
    const level = { width, name, tests: [], documents: [], skipped: undefined }
    this.#levels.push(level)
    return level
  }

  /** Starts a document after a version line or a second plan. */
  #open(level: Level, plan: { readonly planned: number; readonly reason: string } | undefined): void {
    level.name ??= this.#header
    this.#header = undefined
    const last = level.documents.at(-1)
    const begun = last !== undefined && (last.planned !== undefined || (plan === undefined && last.results > 0))
    const document = last === undefined || begun ? { planned: undefined, results: 0 } : last
    if (document !== last) level.documents.push(document)
    if (plan === undefined) return
    document.planned = plan.planned
    if (plan.planned === 0) level.skipped = plan.reason
  }

  #addResult(level: Level, result: KtapResult, closed: readonly Level[]): void {
    const [below, ...deeper] = closed
    const log = logExcerpt(this.#lines)
    this.#lines = []
    this.#header = undefined
    if (level.documents.length === 0) level.documents.push({ planned: undefined, results: 0 })
    for (const document of level.documents.slice(-1)) document.results++
    if (below) {
      this.#unfinished(deeper, below.tests)
      // A test that is skipped may have fewer results than planned.
      if (result.status !== 'skipped') this.#check(below, ` of ${result.title}`)
    }
    const skipped = below?.tests.length === 0 && result.status === 'passed' ? below.skipped : undefined
    const message = result.message || below?.skipped
    const own = guestTest([result.title], skipped === undefined ? result.status : 'skipped', { message, log })
    for (const test of groupCases(own, below?.tests ?? [])) level.tests.push(test)
  }

  /** Adds the cases of groups without a result. */
  #unfinished(levels: readonly Level[], into: GuestTest[]): void {
    const path: string[] = []
    for (const level of levels) {
      const { name, tests, documents } = level
      if (name !== undefined) path.push(name)
      if (tests.length === 0 && documents.every(({ planned }) => planned === undefined)) continue
      this.#problems.push(`The report ends within ${name === undefined ? 'a group of tests' : `the group ${name}`}`)
      this.#check(level, name === undefined ? ' of the group' : ` of ${name}`)
      for (const { path: rest, status, ...more } of tests) into.push(guestTest([...path, ...rest], status, more))
    }
  }

  #check({ documents }: Level, where: string): void {
    for (const { planned, results } of documents) {
      if (planned !== undefined && planned !== results) this.#problems.push(planProblem(results, planned, where))
    }
  }
}
