/**
 * Reporter that writes the page of a run, and in CI adds consoles to the job summary and the JUnit report. The plugin adds
 * it.
 */
import { appendFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import {
  attempted,
  isWorthAPage,
  junitOutput,
  loadPage,
  pageTitle,
  type RunReport,
  stepSummary,
} from '@coldboot/report'
import type { SerializedError } from 'vitest'
import type { Reporter, TestCase, TestModule, TestProject, Vitest } from 'vitest/node'
import { HOME } from './attempt.ts'

/**
 * Writes `.vitest/coldboot/index.html` if a test failed or files of machines were kept, else removes the page of an earlier
 * run. Adds the consoles of failed tests to the summary of a GitHub job. With Vitest's `junit` reporter, adds the consoles
 * to its report, and the files as attachments.
 */
export default class ColdbootReporter implements Reporter {
  #vitest: Vitest | undefined
  #started = 0
  /** Projects to report; all if empty. */
  readonly #projects = new Set<TestProject>()

  /** Restricts the report to projects that were added. */
  addProject(project: TestProject): void {
    this.#projects.add(project)
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestRunStart(): void {
    this.#started = Date.now()
  }

  async onTestCaseResult(test: TestCase): Promise<void> {
    if (!this.#isAbout(test) || !this.#vitest || test.result().state !== 'failed') return
    // The `junit` reporter only includes output added before the end of the run. A blob would print it when merged.
    if (!hasReporter(this.#vitest, 'junit') || hasReporter(this.#vitest, 'blob')) return
    const { attemptReports } = await loadReport()
    const machines = attemptReports(test, this.#started).flatMap((attempt) => attempt.machines)
    if (machines.length === 0) return
    const base = process.env.CI_PROJECT_DIR || this.#vitest.config.root
    const { systemOut, systemErr } = junitOutput(machines, base)
    addLog(this.#vitest, test, 'stdout', systemOut)
    addLog(this.#vitest, test, 'stderr', systemErr)
  }

  async onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): Promise<void> {
    const vitest = this.#vitest
    if (!vitest) return
    const { root } = vitest.config
    const page = join(root, HOME, 'coldboot', 'index.html')
    // In watch mode a run may contain only one file. Keeps the failures of the other files.
    const all = vitest.config.watch ? vitest.state.getTestModules() : modules
    const own = all.filter((module) => this.#isAbout(module))
    const { runReport } = await loadReport()
    const run = runReport(own, errors, { runner: `Vitest ${vitest.version}`, root, ...this.#times(own) })
    if (!isWorthAPage(run)) return void attempted('The page of the run', () => rmSync(page, { force: true }))
    const { writePage } = await loadPage()
    if (attempted('The page of the run', () => writePage(run, page))) {
      vitest.logger.log(`${pageTitle(run)}: ${relative(process.cwd(), page)}`)
    }
    const summary = process.env.GITHUB_STEP_SUMMARY
    if (summary) attempted('The summary of the job', () => appendFileSync(summary, stepSummary(run, page)))
  }

  /** Start and duration of the run; for merged reports, those of the original runs. */
  #times(modules: readonly TestModule[]): Pick<RunReport, 'started' | 'duration'> {
    const merged = Boolean(this.#vitest?.config.mergeReports)
    const tests = merged ? modules.flatMap((module) => [...module.children.allTests()]) : []
    const times = tests.flatMap((test) => test.diagnostic() ?? [])
    if (times.length === 0) return { started: this.#started, duration: Date.now() - this.#started }
    const started = Math.min(...times.map(({ startTime }) => startTime))
    return { started, duration: Math.max(...times.map(({ startTime, duration }) => startTime + duration)) - started }
  }

  #isAbout({ project }: TestCase | TestModule): boolean {
    return this.#projects.size === 0 || this.#projects.has(project)
  }
}

/** Loaded when a test has failed or the run ends, because the configuration is read before each run. */
function loadReport(): Promise<typeof import('./run-report.ts')> {
  return import('./run-report.ts')
}

/** @param name the name in the configuration */
export function hasReporter({ config }: Vitest, name: string): boolean {
  return config.reporters.some((reporter) => Array.isArray(reporter) && reporter[0] === name)
}

function addLog(vitest: Vitest, test: TestCase, type: 'stdout' | 'stderr', content: string): void {
  if (!content) return
  vitest.state.updateUserLog({ taskId: test.id, type, content, time: Date.now(), size: content.length })
}
