/**
 * Reporter that writes the page of a run, adds consoles to the summary of a GitHub job, and completes the files of killed
 * workers. The preset adds it.
 */
import { appendFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { warnOfUnknownVariables } from '@coldboot/core/internal'
import {
  attempted,
  finishAbandoned,
  isWorthAPage,
  loadPage,
  pageTitle,
  resolveArtifacts,
  stepSummary,
} from '@coldboot/report'
import type { ProgressServer } from '@coldboot/runner/progress'
import type { AggregatedResult, Test, TestResult } from '@jest/test-result'
import type { Config } from '@jest/types'
import { getVersion } from 'jest'
import { checkedOptions } from './coldboot-options.ts'
import { showProgress } from './run-progress.ts'
import { type FileResult, interruptedTests, runReport } from './run-report.ts'
import { HOME } from './test-place.ts'

/**
 * Writes `.jest/coldboot/index.html` if a test failed or files of machines were kept, else removes the page of an earlier
 * run. Completes the files of machines whose worker was killed.
 */
export default class ColdbootReporter {
  readonly #config: Config.GlobalConfig
  readonly #progress: ProgressServer
  readonly #files: FileResult[] = []
  readonly #projects = new Set<Config.ProjectConfig>()

  constructor(config: Config.GlobalConfig) {
    this.#config = config
    this.#progress = showProgress()
    void warnOfUnknownVariables()
  }

  onTestFileStart({ context }: Test): void {
    this.#projects.add(context.config)
  }

  onTestResult({ context }: Test, result: TestResult): void {
    this.#files.push({ config: context.config, result })
  }

  async onRunComplete(_: unknown, results: AggregatedResult): Promise<void> {
    this.#progress.close()
    const root = this.#config.rootDir
    const page = join(root, HOME, 'coldboot', 'index.html')
    const run = runReport(this.#files.splice(0), [...this.#completeAbandoned()], {
      runner: `Jest ${getVersion()}`,
      root,
      started: results.startTime,
      duration: Date.now() - results.startTime,
    })
    if (!isWorthAPage(run)) return void attempted('The page of the run', () => rmSync(page, { force: true }))
    const { writePage } = await loadPage()
    if (attempted('The page of the run', () => writePage(run, page))) {
      process.stderr.write(`${pageTitle(run)}: ${relative(process.cwd(), page)}\n`)
    }
    const summary = process.env.GITHUB_STEP_SUMMARY
    if (summary) attempted('The summary of the job', () => appendFileSync(summary, stepSummary(run, page)))
  }

  /** The tests of machines whose worker was killed. */
  *#completeAbandoned(): Generator<ReturnType<typeof interruptedTests>[number]> {
    for (const { rootDir, testEnvironmentOptions } of this.#projects) {
      const { artifacts = {} } = checkedOptions(testEnvironmentOptions['coldboot'])
      yield* interruptedTests(finishAbandoned(join(rootDir, HOME, 'coldboot'), resolveArtifacts(artifacts)))
    }
    this.#projects.clear()
  }
}
