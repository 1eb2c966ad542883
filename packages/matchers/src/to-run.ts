import { ColdbootError, type CommandResult, GuestCommandError, type RunOptions } from '@coldboot/core'
import { formatCommand } from '@coldboot/core/internal'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { checkText, equalsText, type Text, withoutLineEnd } from './text-pattern.ts'
import { cutNote, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toRunSuccessfully`: what is to come out, and those of `vm.run`. */
export interface RunSuccessfullyOptions extends Omit<RunOptions, 'timeout' | 'check' | 'encoding'>, WindowOptions {
  /** What the command prints: a string is all of it, the last line end aside; a regular expression matches some of it. */
  readonly stdout?: Text | undefined
  /** The same of its standard error. */
  readonly stderr?: Text | undefined
  /** How long the command may take, milliseconds, before the machine’s multiplier. @default the machine’s `timeout` */
  readonly timeout?: number | undefined
}

/** Options of `toRun`. */
export interface ToRunOptions extends RunSuccessfullyOptions {
  /** @default 0 */
  readonly exitCode?: number | undefined
}

/** Runs a command in the guest, which must end with the exit code and the output given. */
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
  const { timeout, exitCode = 0, stdout, stderr, ...rest } = options
  checkText(matcher, 'stdout', stdout)
  checkText(matcher, 'stderr', stderr)
  // `timeout` is no window here: a command that has ended has ended, with `.not` too.
  const window = waitWindow({ utils: context.utils, task: context.task }, vm, timeout)
  try {
    const result = await vm.run(command, { ...rest, check: false, timeout: window.granted })
    return verdictOf(vm, result, { exitCode, stdout, stderr })
  } catch (error) {
    // That it never ended does not show that it would not have succeeded.
    if (context.isNot || !ColdbootError.is(error) || !isOfCommand(error)) throw error
    const note = error.code === 'COMMAND_TIMEOUT' ? cutNote(window, vm) : ''
    return { pass: false, report: () => note + error.message }
  }
}

/** Whether it tells of the command and not of a mistake in the call, or of the end of a test. */
function isOfCommand(error: ColdbootError): boolean {
  if (ColdbootError.is(error.cause) && error.cause.code === 'TEST_ENDED') return false
  return /^(?:COMMAND_|GUEST_|SHELL_|AGENT_)/.test(error.code)
}

interface Expected {
  readonly exitCode: number
  readonly stdout: Text | undefined
  readonly stderr: Text | undefined
}

function verdictOf(vm: MatcherVM, result: CommandResult, expected: Expected): Verdict {
  if (result.exitCode !== expected.exitCode) {
    const what = `ended with exit code ${result.exitCode}, not ${expected.exitCode}`
    const report = (): Report => told(vm, result, what, codeHint(result.exitCode))
    return { pass: false, report, expected: { exitCode: expected.exitCode }, actual: { exitCode: result.exitCode } }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const [wanted, given] = [expected[stream], result[stream]]
    if (wanted === undefined || equalsText(wanted, given)) continue
    const name = stream === 'stdout' ? 'standard output' : 'standard error'
    const what = `ended with exit code ${result.exitCode}, but its ${name} is not the expected one`
    const hint = 'A string is compared with all of it, the last line end aside; a regular expression with any part.'
    const text = typeof wanted === 'string' ? withoutLineEnd(wanted) : wanted
    // The difference shows it.
    const report = (): Report => told(vm, { ...result, [stream]: '' }, what, hint)
    return { pass: false, report, expected: text, actual: withoutLineEnd(given) }
  }
  const what = `ended with exit code ${result.exitCode}, as it was not to`
  return { pass: true, report: () => told(vm, result, what, 'Read its output.') }
}

/** What is known of a command that has ended, with what the machine printed. */
function told(vm: MatcherVM, result: CommandResult, what: string, hint: string): Report {
  const facts = { ...result, machine: vm.name }
  const lead = `The command ${formatCommand(result.command)} in "${vm.name}"`
  const { sections } = new GuestCommandError('COMMAND_FAILED', what, facts)
  return { what: `${lead} ${what}`, hint, sections }
}

/** What a shell says with an exit code (POSIX, 2.8.2). */
function codeHint(exitCode: number): string {
  if (exitCode === 127)
    return 'A shell ends with 127 when it finds no such command: is it in the guest, and on its PATH?'
  if (exitCode === 126)
    return 'A shell ends with 126 when it may not run the file, or the file is no program for this machine.'
  if (exitCode > 128) return `That is 128 and the number of a signal, ${exitCode - 128}, which ended it.`
  return 'Read its output. Where another exit code is right, say which: `toRun(command, { exitCode })`.'
}
