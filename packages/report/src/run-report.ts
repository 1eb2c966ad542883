/** What a run of tests was, in the words of no runner: what the page is written from. */
import type { GuestTestRecord } from './guest-test-record.ts'

/** A run of tests. */
export interface RunReport {
  /** Runner and version: `Vitest 5.1.1`. */
  readonly runner: string
  /** The project's folder, absolute: files of tests and stacks are shown relative to it. */
  readonly root: string
  /** Milliseconds since 1970. */
  readonly started: number
  readonly duration: number
  /** In the order in which they are to be shown; the page sorts them by what became of them. */
  readonly tests: readonly TestReport[]
  /** Errors outside of any test: of a file that could not be loaded, of a worker that died. */
  readonly errors: readonly ErrorReport[]
}

/** What became of a test. One that was cut short, as by Ctrl-C, counts as skipped. */
export type TestState = 'failed' | 'passed' | 'skipped'

/** A test with its attempts. */
export interface TestReport {
  /** Names of the describes and the test. */
  readonly names: readonly string[]
  /** The test's file, relative to the root. */
  readonly file: string
  /** Line of the test in its file. */
  readonly line?: number | undefined
  /** Name of the runner's project, when there are several. */
  readonly project?: string | undefined
  readonly state: TestState
  readonly duration: number
  /** In order; the last decides. A skipped test has none. */
  readonly attempts: readonly AttemptReport[]
}

/** One attempt of a test. */
export interface AttemptReport {
  readonly state: TestState
  /** Which attempt it was: `first attempt`, `retry 1`, `repeat 2`. */
  readonly label: string
  readonly errors: readonly ErrorReport[]
  /** The folders of the machines that left files, absolute. */
  readonly machines: readonly string[]
  /** Tests that ran inside the guests. */
  readonly guestTests: readonly GuestTestRecord[]
}

/** An error, as the runner reports it. */
export interface ErrorReport {
  readonly name: string
  readonly message: string
  /** The difference between what was expected and what was received, with or without colours. */
  readonly diff?: string | undefined
  /** The innermost frame comes first; frames of libraries left out. */
  readonly stack: readonly StackFrame[]
}

/** A place in the sources. */
export interface StackFrame {
  /** Absolute. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** Name of the function, when it has one. */
  readonly method?: string | undefined
}

/** Whether a test passed after an attempt of it had failed. */
export function isFlaky(test: TestReport): boolean {
  return test.state === 'passed' && test.attempts.some(({ state }) => state === 'failed')
}

/** Whether there is something to look at: an error, or files of a machine. */
export function isWorthAPage(run: RunReport): boolean {
  return run.errors.length > 0 || run.tests.some((test) => test.state === 'failed' || hasFiles(test))
}

/** Whether machines of the test left files. */
export function hasFiles(test: TestReport): boolean {
  return test.attempts.some(({ machines }) => machines.length > 0)
}
