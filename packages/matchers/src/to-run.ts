import { ColdbootError, type CommandResult, GuestCommandError, type RunOptions } from '@coldboot/core'
import { commandHint, formatCommand } from '@coldboot/core/internal'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { checkOptionNames } from './option-names.ts'
import { checkText, equalsText, type Text, withoutLineEnd } from './text-pattern.ts'
import { cutNote, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toRunSuccessfully`: the expected output, and options of `vm.run`. */
export interface RunSuccessfullyOptions extends Omit<RunOptions, 'timeout' | 'check' | 'encoding'>, WindowOptions {
  /** Expected standard output: a string equals all of it except for a final newline, a regular expression matches a part. */
  readonly stdout?: Text | undefined
  /** Expected standard error, compared like `stdout`. */
  readonly stderr?: Text | undefined
  /** Time limit of the command, milliseconds, before the machine's multiplier. @default the machine's `timeout` */
  readonly timeout?: number | undefined
}

/** Options of `toRun`. */
export interface ToRunOptions extends RunSuccessfullyOptions {
  /** Expected exit code. @default 0 */
  readonly exitCode?: number | undefined
}

const RUN_OPTIONS: readonly (keyof RunSuccessfullyOptions)[] = [
  ...(['stdout', 'stderr', 'timeout'] as const),
  ...(['cwd', 'env', 'input', 'via', 'signal'] as const),
]

/** Runs a command in the guest, which must end with the given exit code and output. */
export function toRun(
  this: MatcherContext,
  received: unknown,
  command: string | readonly string[],
  options: ToRunOptions = {},
): Promise<MatcherResult> {
  return awaitedMatcher(this, 'toRun', received, [command, options], (vm) => judge(this, vm, 'toRun', command, options))
}

/** Runs a command in the guest, which must end with exit code 0. */
export function toRunSuccessfully(
  this: MatcherContext,
  received: unknown,
  command: string | readonly string[],
  options: RunSuccessfullyOptions = {},
): Promise<MatcherResult> {
  const matcher = 'toRunSuccessfully'
  return awaitedMatcher(this, matcher, received, [command, options], (vm) => judge(this, vm, matcher, command, options))
}

async function judge(
  context: MatcherContext,
  vm: MatcherVM,
  matcher: string,
  command: string | readonly string[],
  options: ToRunOptions,
): Promise<Verdict> {
  checkOptionNames(matcher, options, matcher === 'toRun' ? ['exitCode', ...RUN_OPTIONS] : RUN_OPTIONS)
  const { timeout, exitCode = 0, stdout, stderr, ...rest } = options
  checkText(matcher, 'stdout', stdout)
  checkText(matcher, 'stderr', stderr)
  // Ignores `.not`: the command need not run for the whole window.
  const window = waitWindow({ utils: context.utils, task: context.task }, vm, timeout)
  try {
    const result = await vm.run(command, { ...rest, check: false, timeout: window.granted })
    return await verdictOf(vm, result, { exitCode, stdout, stderr })
  } catch (error) {
    // With `.not`, a command that did not end does not prove that it would have failed.
    if (context.isNot || !ColdbootError.is(error) || !isOfCommand(error)) throw error
    const note = error.code === 'COMMAND_TIMEOUT' ? cutNote(window, vm) : ''
    return { pass: false, report: () => note + error.message }
  }
}

/** Whether the error is about the command, not about a bad call or the end of the test. */
function isOfCommand(error: ColdbootError): boolean {
  if (ColdbootError.is(error.cause) && error.cause.code === 'TEST_ENDED') return false
  return /^(?:COMMAND_|GUEST_|SHELL_|AGENT_)/.test(error.code)
}

interface Expected {
  readonly exitCode: number
  readonly stdout: Text | undefined
  readonly stderr: Text | undefined
}

async function verdictOf(vm: MatcherVM, result: CommandResult, expected: Expected): Promise<Verdict> {
  if (result.exitCode !== expected.exitCode) {
    const what = `ended with exit code ${result.exitCode}, not ${expected.exitCode}`
    const hint = (await commandHint(result.exitCode, result.stderr)) ?? codeHint(result.exitCode)
    const report = (): Report => reportOf(vm, result, what, hint)
    return { pass: false, report, expected: { exitCode: expected.exitCode }, actual: { exitCode: result.exitCode } }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const [wanted, given] = [expected[stream], result[stream]]
    if (wanted === undefined || equalsText(wanted, given)) continue
    const name = stream === 'stdout' ? 'standard output' : 'standard error'
    const what = `ended with exit code ${result.exitCode}, but its ${name} differs from the expected one`
    const hint =
      'A string must equal the whole output, except for a final newline. A regular expression may match any part.'
    const text = typeof wanted === 'string' ? withoutLineEnd(wanted) : wanted
    // The diff shows this stream.
    const report = (): Report => reportOf(vm, { ...result, [stream]: '' }, what, hint)
    return { pass: false, report, expected: text, actual: withoutLineEnd(given) }
  }
  const what = `ended with exit code ${result.exitCode}, although it must not`
  return { pass: true, report: () => reportOf(vm, result, what, 'Read its output.') }
}

/** The report of a command that has ended. */
function reportOf(vm: MatcherVM, result: CommandResult, what: string, hint: string): Report {
  const facts = { ...result, machine: vm.name }
  const lead = `The command ${formatCommand(result.command)} in "${vm.name}"`
  const { sections } = new GuestCommandError('COMMAND_FAILED', what, facts)
  return { what: `${lead} ${what}`, hint, sections }
}

/** Explains an exit code of a shell (POSIX, 2.8.2). */
function codeHint(exitCode: number): string {
  if (exitCode === 127)
    return 'A shell exits with 127 if it does not find a command. Check that it is in the guest and on its PATH.'
  if (exitCode === 126)
    return 'A shell exits with 126 if it may not run the file, or if the file is not a program for this machine.'
  if (exitCode > 128) return `An exit code above 128 usually means that a signal ended the command: ${exitCode - 128}.`
  return 'Read its output. If another exit code is correct, pass it: `toRun(command, { exitCode })`.'
}
