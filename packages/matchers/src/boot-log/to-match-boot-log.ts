import { type Match, OptionError, type PatternInput } from '@coldboot/core'
import { awaitedMatcher, type Report, type Verdict } from '../awaited-matcher.ts'
import { formatValue } from '../format-call.ts'
import type { MatcherContext, MatcherResult } from '../matcher-context.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { checkOptionNames } from '../option-names.ts'
import { checkText, placeOf, type Text } from '../text-pattern.ts'
import { type BootOptions, boot } from '../to-boot.ts'
import { type NormalizeOptions, normalizeBootLog } from './normalize-boot-log.ts'

/** Options of `toMatchBootLog`. */
export interface BootLogOptions extends BootOptions, NormalizeOptions {
  /** Start of the compared part of the log; earlier output is ignored. @default the start of the machine */
  readonly from?: Text | undefined
  /** Name of the snapshot, if a test has several. @default numbered by the runner */
  readonly hint?: string | undefined
}

/** Compares the output of the boot with a snapshot of the test runner. */
export function toMatchBootLog(
  this: MatcherContext,
  received: unknown,
  options: BootLogOptions = {},
): Promise<MatcherResult> {
  return awaitedMatcher(this, 'toMatchBootLog', received, [options], (vm) => judge(this, vm, options))
}

async function judge(context: MatcherContext, vm: MatcherVM, options: BootLogOptions): Promise<Verdict> {
  const { toMatchSnapshot } = context
  if (toMatchSnapshot === undefined) throw withoutSnapshots()
  if (context.isNot) throw negated()
  checkOptionNames('toMatchBootLog', options, ['until', 'timeout', 'from', 'hint', 'normalizers', 'keep'])
  const { until, timeout, from, hint, ...normalize } = options
  checkText('toMatchBootLog', 'from', from)
  // Report bad options before the wait.
  normalizeBootLog('', normalize)
  const log = await bootLog(context, vm, { until, timeout })
  if (typeof log !== 'string') return log
  const start = from === undefined ? 0 : placeOf(from, log)
  if (start < 0) return { pass: false, report: () => withoutStart(vm, from) }
  const result = toMatchSnapshot.call(context, normalizeBootLog(log.slice(start), normalize), hint)
  return { ...result, report: () => mismatch(vm, result) }
}

/** Returns the output of the boot, or a failing verdict if the machine did not boot. */
async function bootLog(context: MatcherContext, vm: MatcherVM, options: BootOptions): Promise<string | Verdict> {
  const until: PatternInput | undefined = options.until ?? vm.spec.ready
  if (until === undefined) return vm.output
  const outcome = await boot(context, vm, until, options)
  if ('report' in outcome) return outcome
  // `outcome.match.before` lacks the output that earlier waits consumed.
  const match: Match = vm.hasPrinted(until) ?? outcome.match
  return match.before + match.text
}

function withoutStart(vm: MatcherVM, from: Text | undefined): Report {
  const what = `"${vm.name}" booted without printing ${formatValue(from)}, the start of the log to compare`
  return { what, hint: 'Set `from` to something that the machine prints during its boot.' }
}

function mismatch(vm: MatcherVM, { message, expected }: MatcherResult): string {
  const missing = expected === undefined || expected === ''
  const what = missing
    ? `There is no snapshot of the boot log of "${vm.name}", and this run does not write snapshots (as in CI)\n${MISSING_HINT}`
    : `The boot log of "${vm.name}" does not match its snapshot\n${OTHER_HINT}`
  return `${what}\n\n${message()}`
}

const MISSING_HINT = 'Run the test once outside of CI, or with `-u`, and commit the file that it writes.'
const OTHER_HINT =
  'If the change is correct, update the snapshot (`-u`). Use `normalizers` to remove text that differs between boots.'

function negated(): OptionError {
  return new OptionError('INVALID_OPTION', 'toMatchBootLog cannot be used with `.not`', {
    hint: 'Use `expect(vm).not.toHavePrinted(…)` for text that must not be printed.',
  })
}

function withoutSnapshots(): OptionError {
  return new OptionError(
    'INVALID_OPTION',
    'toMatchBootLog was registered without the `toMatchSnapshot` of the test runner',
    {
      hint: 'Register the matchers with `expect.extend(machineMatchers({ toMatchSnapshot, … }))`.',
    },
  )
}
