/** Runs tests in a guest and reads their report. */

import { ColdbootError, messageOf } from '../../errors.ts'
import type { GuestTest } from '../../events/machine-event.ts'
import { type CheckTable, checkTable, isString, oneOf, requireObject } from '../../options/checked-options.ts'
import { readGuestFile } from '../files/guest-files.ts'
import type { Guest } from '../guest.ts'
import { formatCommand, GuestCommandError } from '../guest-command-error.ts'
import { type CommandResult, checkRunOptions, type RunOptions } from '../run-options.ts'
import { TEST_FORMATS, type TestFormat, type TestReport } from './guest-test.ts'
import { GuestTestsError } from './guest-tests-error.ts'
import { readReport } from './read-report.ts'

/** Options of `vm.runTests`. */
export interface RunTestsOptions extends Omit<RunOptions, 'encoding'> {
  /** Format of the report. */
  readonly format: TestFormat
  /** Path of the report in the guest. @default the standard output of the command */
  readonly report?: string | undefined
  /** Whether to throw unless the run passed: see {@link GuestTestRun.passed}. @default true */
  readonly check?: boolean | undefined
}

/** Result of a test run in the guest. */
export interface GuestTestRun extends CommandResult {
  /** Every test case, in the order of the report. */
  readonly tests: readonly GuestTest[]
  /** Problems of the report as a whole: planned tests that did not run, a bail out. */
  readonly problems: readonly string[]
  /**
   * Whether no test failed, the report is complete, and the exit code of the command is 0. Exit code 4, with which
   * kselftest reports skipped tests, is accepted too.
   */
  readonly passed: boolean
}

/** Error codes of a report file that cannot be read. */
const FILE_CODES: ReadonlySet<string> = new Set(['GUEST_FILE_MISSING', 'GUEST_FILE_DENIED', 'GUEST_FILE_FAILED'])

const CHECKS: CheckTable<Pick<Required<RunTestsOptions>, 'format' | 'report'>> = {
  format: oneOf(TEST_FORMATS),
  report: ['an absolute path', (value) => isString(value) && /^\/[^\0]*$/.test(value)],
}

/**
 * @throws GuestTestsError `TESTS_FAILED`
 * @throws GuestCommandError `TESTS_UNREADABLE` when there is no report; others as `Guest.run`, but not `COMMAND_FAILED`
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export async function runTests(
  guest: Guest,
  command: string | readonly string[],
  given: RunTestsOptions,
): Promise<GuestTestRun> {
  requireObject('runTests: the options', given)
  const { format, report: path, ...options } = given
  // `format` is the only option without a default.
  checkTable('runTests', { format: format ?? '', report: path }, CHECKS)
  checkRunOptions('runTests', options)
  let printed: Uint8Array = new Uint8Array()
  const keep = (stdout: Uint8Array): void => {
    printed = stdout
  }
  const result = await guest.run(command, { ...options, check: false }, keep).catch(async (error: unknown) => {
    if (path === undefined) await tellPart(guest, format, error, printed)
    throw error
  })
  const report = await reportOf(guest, printed, format, path, options).catch((cause: unknown) => {
    if (ColdbootError.is(cause) && !FILE_CODES.has(cause.code)) throw cause
    throw unreadable(guest.name, result, format, cause)
  })
  const { tests, problems } = report
  if (tests.length === 0) throw unreadable(guest.name, result, format, new Error('it has no test'))
  const ended = result.exitCode === 0 || isSkip(result.exitCode, format, tests)
  const passed = ended && problems.length === 0 && tests.every(({ status }) => status !== 'failed')
  const checked = options.check !== false
  guest.emit({ kind: 'tests', command: result.command, tests, problems, passed, checked })
  const run = { ...result, tests: Object.freeze(tests), problems: Object.freeze(problems), passed }
  if (!passed && checked) throw new GuestTestsError(run, guest.name)
  return Object.freeze(run)
}

/** Whether kselftest ended with exit code 4 because the last test was skipped. */
function isSkip(exitCode: number, format: TestFormat, tests: readonly GuestTest[]): boolean {
  return exitCode === 4 && format !== 'junit' && tests.at(-1)?.status === 'skipped'
}

/** Emits the results up to an interruption, for example by a panic. */
async function tellPart(guest: Guest, format: TestFormat, error: unknown, printed: Uint8Array): Promise<void> {
  if (!(error instanceof GuestCommandError)) return
  const report = await readReport(format, printed).catch(() => undefined)
  if (report === undefined || report.tests.length === 0) return
  guest.emit({ kind: 'tests', command: error.command, ...report, passed: false, checked: false })
}

async function reportOf(
  guest: Guest,
  printed: Uint8Array,
  format: TestFormat,
  path: string | undefined,
  { via, signal }: RunOptions,
): Promise<TestReport> {
  return readReport(format, path === undefined ? printed : await readGuestFile(guest, path, { via, signal }))
}

function unreadable(machine: string, result: CommandResult, format: TestFormat, cause: unknown): GuestCommandError {
  const why = ColdbootError.is(cause) ? cause.shortMessage : messageOf(cause)
  const message = `The report of ${formatCommand(result.command)} in "${machine}" is not valid ${format}: ${why} (exit code ${result.exitCode})`
  return new GuestCommandError('TESTS_UNREADABLE', message, { ...result, machine }, { cause })
}
