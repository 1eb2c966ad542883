/** The error of failed tests in the guest, with the output of each. */
import type { GuestTest } from '../../events/machine-event.ts'
import { formatCommand, GuestCommandError } from '../guest-command-error.ts'
import type { CommandResult } from '../run-options.ts'

/** Most failed tests in a message. The property `tests` has all of them. */
const SHOWN = 10

/** A failed test run. */
export interface FailedTestRun extends CommandResult {
  readonly tests: readonly GuestTest[]
  readonly problems: readonly string[]
}

/** Tests in the guest failed. Code `TESTS_FAILED`. */
export class GuestTestsError extends GuestCommandError {
  override readonly name: string = 'GuestTestsError'
  /** Every test case, in the order of the report. */
  readonly tests: readonly GuestTest[]
  /** Problems of the report as a whole. */
  readonly problems: readonly string[]

  /** @param machine name of the machine */
  constructor(run: FailedTestRun, machine: string) {
    const failed = run.tests.filter(({ status }) => status === 'failed')
    const sections = {
      ...Object.fromEntries(failed.slice(0, SHOWN).map((test) => [titleOf(test), wordsOf(test)])),
      'Further failures': failed.slice(SHOWN).map(titleOf).join('\n'),
      'The report': run.problems.join('\n'),
      // The sections of the failed tests have the relevant output.
      ...(failed.length > 0 ? { 'Standard output': undefined } : {}),
    }
    super('TESTS_FAILED', summary(run, machine, failed.length), { ...run, machine }, { sections })
    this.tests = run.tests
    this.problems = run.problems
  }
}

function summary({ command, tests, exitCode }: FailedTestRun, machine: string, failed: number): string {
  const what = `${tests.length} ${tests.length === 1 ? 'test' : 'tests'} of ${formatCommand(command)} in "${machine}"`
  if (failed > 0) return `${failed} of ${what} failed`
  return `None of ${what} failed, but ${exitCode === 0 ? 'the report is incomplete' : `the exit code is ${exitCode}`}`
}

function titleOf({ path }: GuestTest): string {
  return path.join(' > ')
}

/** The log, preceded by the message if the log does not contain it. */
function wordsOf({ message, log }: GuestTest): string {
  if (message === undefined || log?.includes(message) === true) return log ?? '(it printed nothing)'
  return log === undefined ? message : `${message}\n${log}`
}
