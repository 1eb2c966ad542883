/** Converts a Vitest run to the model of @coldboot/report. */
import type { AttemptReport, ErrorReport, RunReport, StackFrame, TestReport, TestState } from '@coldboot/report'
import { attemptDirectory, machineFolders, readMeta, rerunCommand, titleKey } from '@coldboot/report'
import type { SerializedError } from 'vitest'
import type { TestAttempt, TestCase, TestModule, TestSuite } from 'vitest/node'
import { HOME } from './attempt.ts'
import type {} from './augmentation.ts'

/**
 * @param modules the modules of the reported projects
 * @param errors errors outside of modules
 * @param started milliseconds since 1970
 */
export function runReport(
  modules: readonly TestModule[],
  errors: readonly SerializedError[],
  about: Pick<RunReport, 'runner' | 'root' | 'started' | 'duration'>,
): RunReport {
  const ofModules = modules.flatMap((module) => [module, ...module.children.allSuites()]).flatMap((it) => it.errors())
  return {
    ...about,
    // Sorts the files, which end and are merged in any order.
    tests: modules
      .toSorted((a, b) => (a.relativeModuleId < b.relativeModuleId ? -1 : 1))
      .flatMap((module) => testsOf(module, about.started)),
    errors: [...errors, ...ofModules].map(errorReport),
  }
}

/** The tests of a file. @param since start of the run, milliseconds since 1970 */
function testsOf(module: TestModule, since: number): readonly TestReport[] {
  return [...module.children.allTests()].map((test) => {
    const { state } = test.result()
    const project = module.project.name ? ['--project', module.project.name] : []
    return {
      names: namesOf(test),
      file: module.relativeModuleId,
      line: test.location?.line,
      project: module.project.name || undefined,
      rerun: rerunCommand(['npx', 'vitest', 'run', module.relativeModuleId, ...project], namesOf(test).join(' > ')),
      state: state === 'pending' ? 'skipped' : state,
      duration: test.diagnostic()?.duration ?? 0,
      attempts: attemptReports(test, since),
    }
  })
}

/** The attempts of a test, in order. @param since start of the run, milliseconds since 1970 */
export function attemptReports(test: TestCase, since: number): readonly AttemptReport[] {
  const attempts = test.attempts().map(({ state, errors = [], retryIndex, repeatIndex }) => ({
    state,
    label: labelOf({ retryIndex, repeatIndex }),
    errors: errors.map(errorReport),
    machines: machinesOf(test, { retryIndex, repeatIndex }),
    guestTests: guestTestsOf(test, { retryIndex, repeatIndex }),
  }))
  if (attempts.length > 0) return attempts
  // The test was interrupted by Ctrl-C or the end of its worker, or did not start. A worker reports the start of a test up to
  // 100 ms later, and a test that did not start may have files of an earlier run.
  const machines = machinesOf(test, { retryIndex: 0, repeatIndex: 0 }).filter((folder) => isSince(folder, since))
  const errors = (test.result().errors ?? []).map(errorReport)
  const state: TestState = errors.length > 0 ? 'failed' : 'skipped'
  const guestTests = guestTestsOf(test, { retryIndex: 0, repeatIndex: 0 })
  if (machines.length === 0 && errors.length === 0) return []
  return [{ state, label: 'interrupted', errors, machines, guestTests }]
}

function isSince(folder: string, since: number): boolean {
  return Date.parse(readMeta(folder)?.started ?? '') >= since
}

type AttemptIndex = Pick<TestAttempt, 'retryIndex' | 'repeatIndex'>

function labelOf({ retryIndex, repeatIndex }: AttemptIndex): string {
  const parts = [repeatIndex > 0 && `repeat ${repeatIndex}`, retryIndex > 0 && `retry ${retryIndex}`]
  return parts.filter(Boolean).join(', ') || 'first attempt'
}

function guestTestsOf(test: TestCase, { retryIndex, repeatIndex }: AttemptIndex): AttemptReport['guestTests'] {
  const { guestTests = [] } = test.meta().coldboot ?? {}
  return guestTests.filter(({ repeat, retry }) => repeat === repeatIndex && retry === retryIndex)
}

/**
 * The machine folders of an attempt. They are searched on disk, so that they are also found after a crash of the worker, and
 * if the tests ran on another host.
 */
function machinesOf(test: TestCase, { retryIndex, repeatIndex }: AttemptIndex): readonly string[] {
  return machineFolders(
    attemptDirectory({
      root: test.project.config.root,
      home: HOME,
      file: test.module.relativeModuleId,
      project: test.project.name,
      names: namesOf(test),
      duplicateIndex: duplicatesBefore(test),
      repeat: repeatIndex,
      retry: retryIndex,
    }),
  )
}

/** Number of tests with the same names before it in the file. */
function duplicatesBefore(test: TestCase): number {
  const key = titleKey(namesOf(test))
  return [...test.module.children.allTests()].filter((it) => titleKey(namesOf(it)) === key).indexOf(test)
}

/** Names of the groups and the test. */
function namesOf(test: TestCase | TestSuite): readonly string[] {
  const { parent } = test
  return parent.type === 'module' ? [test.name] : [...namesOf(parent), test.name]
}

function errorReport(error: SerializedError): ErrorReport {
  const { name, message, cause } = error
  const diff: unknown = error['diff']
  return {
    name: name ?? 'Error',
    message: cause?.message ? `${message}\n\nCaused by:\n${cause.message.replace(/^/gm, '  ')}` : message,
    diff: typeof diff === 'string' ? diff : undefined,
    stack: (error.stacks ?? []).map(
      ({ file, line, column, method }): StackFrame => ({ file, line, column, method: method || undefined }),
    ),
  }
}
