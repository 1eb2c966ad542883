/** Model of a test run, independent of the test runner. Input of the page. */
import type { GuestTestRecord } from './guest-test-record.ts'

/** A run of tests. */
export interface RunReport {
  /** Runner and version, for example `Vitest 5.1.1`. */
  readonly runner: string
  /** Absolute path of the project. Other paths are shown relative to it. */
  readonly root: string
  /** Milliseconds since 1970. */
  readonly started: number
  readonly duration: number
  /** The page keeps this order within each group. */
  readonly tests: readonly TestReport[]
  /** Errors outside of tests, for example of a file that could not be loaded or a worker that crashed. */
  readonly errors: readonly ErrorReport[]
}

/** Result of a test. An interrupted test counts as skipped. */
export type TestState = 'failed' | 'passed' | 'skipped'

/** A test with its attempts. */
export interface TestReport {
  /** Names of the groups and the test. */
  readonly names: readonly string[]
  /** Test file, relative to the root. */
  readonly file: string
  /** Line of the test in its file. */
  readonly line?: number | undefined
  /** Name of the runner's project, if there are several. */
  readonly project?: string | undefined
  /** Command that runs the test again, for a shell in the root. */
  readonly rerun?: string | undefined
  readonly state: TestState
  readonly duration: number
  /** In order; the last one determines the state. Empty for skipped tests. */
  readonly attempts: readonly AttemptReport[]
}

/** One attempt of a test. */
export interface AttemptReport {
  readonly state: TestState
  /** For example `first attempt`, `retry 1` or `repeat 2`. */
  readonly label: string
  readonly errors: readonly ErrorReport[]
  /** Absolute paths of the folders of its machines. */
  readonly machines: readonly string[]
  /** Tests that ran inside the guests. */
  readonly guestTests: readonly GuestTestRecord[]
}

/** An error as reported by the test runner. */
export interface ErrorReport {
  readonly name: string
  readonly message: string
  /** Difference between the expected and the received value, with or without colors. */
  readonly diff?: string | undefined
  /** The innermost frame first, without frames of libraries. */
  readonly stack: readonly StackFrame[]
}

/** A position in a source file. */
export interface StackFrame {
  /** Absolute path. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** Name of the function, if it has one. */
  readonly method?: string | undefined
}

/** Whether a test passed after a failed attempt. */
export function isFlaky(test: TestReport): boolean {
  return test.state === 'passed' && test.attempts.some(({ state }) => state === 'failed')
}

/** Whether the run has anything to show: an error, or files of a machine. */
export function isWorthAPage(run: RunReport): boolean {
  return run.errors.length > 0 || run.tests.some((test) => test.state === 'failed' || hasFiles(test))
}

/** Whether the test has files of machines. */
export function hasFiles(test: TestReport): boolean {
  return test.attempts.some(({ machines }) => machines.length > 0)
}

/** Describes the content of the page, for the line with its path. */
export function pageTitle(run: RunReport): string {
  return run.tests.some(hasFiles) ? 'Consoles and files of the machines' : 'Report of the run, without machines'
}
