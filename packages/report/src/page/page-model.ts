/** Order, ids and status of the tests on the page, without the files of machines. */
import { folderName, titleFolder } from '../attempt-directory.ts'
import { type ErrorReport, hasFiles, isFlaky, type RunReport, type TestReport } from '../run-report.ts'

/** Result of a test, the most important first. An interrupted test has started but did not end. */
export const STATUSES: readonly ['failed', 'interrupted', 'flaky', 'passed', 'skipped'] = [
  'failed',
  'interrupted',
  'flaky',
  'passed',
  'skipped',
]

export type Status = (typeof STATUSES)[number]

/** A test of the page. */
export interface TestEntry {
  readonly test: TestReport
  /** Unique in the page, and the same after another run. */
  readonly id: string
  readonly status: Status
  /** Whether it has errors or files, which are shown in an article that can be unfolded. */
  readonly hasArticle: boolean
}

/** The tests of a file, the most important first. */
export interface FileGroup {
  readonly file: string
  readonly tests: readonly TestEntry[]
}

/** Content of the page. */
export interface PageModel {
  /** Files with failed tests first. */
  readonly files: readonly FileGroup[]
  /** Tests with articles, in the order in which they get space in the page. */
  readonly articles: readonly TestEntry[]
  readonly counts: Readonly<Record<Status, number>>
  /** Errors outside of tests. */
  readonly errors: readonly ErrorReport[]
}

/** Arranges a run. Tests of one status keep their order. */
export function pageModel(run: RunReport): PageModel {
  const ids = new Map<string, number>()
  const entries = run.tests.map((test): TestEntry => {
    const status = statusOf(test)
    const hasArticle = status === 'failed' || status === 'flaky' || hasFiles(test)
    return { test, id: uniqueId(test, ids), status, hasArticle }
  })
  const ordered = STATUSES.flatMap((status) => entries.filter((entry) => entry.status === status))
  return {
    files: [...Map.groupBy(ordered, ({ test }) => test.file)].map(([file, tests]) => ({ file, tests })),
    articles: ordered.filter(({ hasArticle }) => hasArticle),
    counts: countsOf(entries),
    errors: errorsOutside(run),
  }
}

function statusOf(test: TestReport): Status {
  if (test.state === 'skipped') return hasFiles(test) ? 'interrupted' : 'skipped'
  return isFlaky(test) ? 'flaky' : test.state
}

function countsOf(entries: readonly TestEntry[]): PageModel['counts'] {
  const counts = { failed: 0, interrupted: 0, flaky: 0, passed: 0, skipped: 0 }
  for (const { status } of entries) counts[status]++
  return counts
}

/** Derived from the test's folder path, so that links remain valid in the page of the next run. */
function uniqueId({ file, project, names }: TestReport, ids: Map<string, number>): string {
  const path = [...file.split('/').map(folderName), ...(project ? [folderName(project)] : []), titleFolder(names)]
  const id = path.join('/')
  const count = (ids.get(id) ?? 0) + 1
  ids.set(id, count)
  return count === 1 ? id : `${id}/${count}`
}

/** Errors of the run, each once. A runner reports errors of a test again if they are not handled in time. */
function errorsOutside(run: RunReport): readonly ErrorReport[] {
  const known = new Set(run.tests.flatMap(({ attempts }) => attempts.flatMap(({ errors }) => errors.map(errorKey))))
  return run.errors.filter((error) => {
    const key = errorKey(error)
    if (known.has(key)) return false
    known.add(key)
    return true
  })
}

/** Key of an error: its first line without numbers, and its position. Times in the two reports of one failure can differ. */
function errorKey({ name, message, stack }: ErrorReport): string {
  const [place] = stack
  const headline = message.trim().split('\n', 1)[0]?.replace(/\d+/g, '0')
  return JSON.stringify([name, headline, place?.file, place?.line])
}
