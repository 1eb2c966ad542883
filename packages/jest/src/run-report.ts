/** Converts a Jest run to the model of @coldboot/report. */
import { dirname, relative } from 'node:path'
import {
  type AttemptReport,
  attemptDirectory,
  type ErrorReport,
  machineFolders,
  type RunReport,
  readMeta,
  rerunCommand,
  type TestReport,
  type TestState,
  titleKey,
} from '@coldboot/report'
import type { AssertionResult, TestResult } from '@jest/test-result'
import type { Config } from '@jest/types'
import { readGuestTests } from './guest-tests.ts'
import { errorReport } from './reported-stack.ts'
import { HOME } from './test-place.ts'

/** The result of a test file. */
export interface FileResult {
  readonly config: Pick<Config.ProjectConfig, 'rootDir' | 'displayName'>
  readonly result: TestResult
}

/** @param unfinished tests without a result, because their worker crashed */
export function runReport(
  files: readonly FileResult[],
  unfinished: readonly TestReport[],
  about: Pick<RunReport, 'runner' | 'root' | 'started' | 'duration'>,
): RunReport {
  // Sorts the files, which end in any order.
  const inOrder = files.toSorted((one, other) => (one.result.testFilePath < other.result.testFilePath ? -1 : 1))
  return {
    ...about,
    tests: [...inOrder.flatMap(testsOf), ...unfinished],
    errors: inOrder.flatMap(({ result }) => fileError(result)),
  }
}

/**
 * The tests of machine folders.
 * @param folders completed folders of machines
 */
export function interruptedTests(folders: readonly string[]): readonly TestReport[] {
  return [...Map.groupBy(folders, dirname).values()].flatMap((machines): readonly TestReport[] => {
    const meta = readMeta(machines[0] ?? '')
    if (!meta) return []
    const { file, names, project } = meta.test
    const attempt: AttemptReport = { state: 'skipped', label: 'interrupted', errors: [], machines, guestTests: [] }
    return [{ names, file, project, state: 'skipped', duration: meta.duration ?? 0, attempts: [attempt] }]
  })
}

function testsOf({ config, result }: FileResult): readonly TestReport[] {
  const file = relative(config.rootDir, result.testFilePath)
  const project = config.displayName?.name
  const rerunner = ['npx', 'jest', '--runTestsByPath', file, ...(project ? ['--selectProjects', project] : [])]
  return result.testResults.map((test, index) => {
    const names = namesOf(test)
    const same = result.testResults.slice(0, index).filter((other) => titleKey(namesOf(other)) === titleKey(names))
    const place = { root: config.rootDir, home: HOME, file, project, names, duplicateIndex: same.length, repeat: 0 }
    return {
      names,
      file,
      line: test.location?.line,
      project,
      rerun: rerunCommand(rerunner, names.join(' ')),
      state: stateOf(test),
      duration: test.duration ?? 0,
      attempts: attemptsOf(test, (retry) => attemptDirectory({ ...place, retry })),
    }
  })
}

/** The attempts of a test, in order. Jest reports the state of the last one. */
function attemptsOf(test: AssertionResult, directoryOf: (retry: number) => string): readonly AttemptReport[] {
  const state = stateOf(test)
  if (state === 'skipped') return []
  const last = Math.max(test.invocations ?? 1, 1) - 1
  return Array.from({ length: last + 1 }, (_, retry) => ({
    state: retry < last ? 'failed' : state,
    label: retry === 0 ? 'first attempt' : `retry ${retry}`,
    errors: retry < last ? errorsOf(test.retryReasons?.slice(retry, retry + 1)) : errorsOf(test.failureMessages),
    machines: machineFolders(directoryOf(retry)),
    guestTests: readGuestTests(directoryOf(retry)),
  }))
}

function stateOf({ status }: AssertionResult): TestState {
  return status === 'failed' || status === 'passed' ? status : 'skipped'
}

function namesOf(test: AssertionResult): readonly string[] {
  return [...test.ancestorTitles, test.title]
}

function errorsOf(messages: readonly string[] = []): readonly ErrorReport[] {
  return messages.map(errorReport)
}

/** The error of a file that could not be run. */
function fileError({ testExecError }: TestResult): readonly ErrorReport[] {
  if (!testExecError) return []
  const { message, stack } = testExecError as { readonly message?: string; readonly stack?: string | null }
  return [errorReport(stack || message || 'The file could not be run')]
}
