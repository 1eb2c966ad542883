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
  /** Where the log begins that is compared: what is printed before is left out. @default the machine’s start */
  readonly from?: Text | undefined
  /** Names the snapshot, where a test has several. */
  readonly hint?: string | undefined
}

/** Compares what the machine printed until it had booted with a snapshot of the runner’s. */
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
  // A mistake in them is told before anything is waited for.
  normalizeBootLog('', normalize)
  const log = await bootLog(context, vm, { until, timeout })
  if (typeof log !== 'string') return log
  const start = from === undefined ? 0 : placeOf(from, log)
  if (start < 0) return { pass: false, report: () => withoutStart(vm, from) }
  const result = toMatchSnapshot.call(context, normalizeBootLog(log.slice(start), normalize), hint)
  return { ...result, report: () => mismatch(vm, result) }
}

/** What the machine printed until it had booted, or why it has not. */
async function bootLog(context: MatcherContext, vm: MatcherVM, options: BootOptions): Promise<string | Verdict> {
  const until: PatternInput | undefined = options.until ?? vm.spec.ready
  if (until === undefined) return vm.output
  const outcome = await boot(context, vm, until, options)
  if ('report' in outcome) return outcome
  // The match alone would not have what was consumed before it.
  const match: Match = vm.hasPrinted(until) ?? outcome.match
  return match.before + match.text
}

function withoutStart(vm: MatcherVM, from: Text | undefined): Report {
  const what = `"${vm.name}" booted without printing ${formatValue(from)}, where the log to compare begins`
  return { what, hint: 'Give `from` something that it prints on its way.' }
}

function mismatch(vm: MatcherVM, { message, expected }: MatcherResult): string {
  const missing = expected === undefined || expected === ''
  const what = missing
    ? `There is no snapshot of how "${vm.name}" boots, and this run writes none, as in CI\n${MISSING_HINT}`
    : `"${vm.name}" did not boot as its snapshot tells\n${OTHER_HINT}`
  return `${what}\n\n${message()}`
}

const MISSING_HINT = 'Run the test once outside of CI, or with `-u`, and keep the file that it writes.'
const OTHER_HINT =
  'Where the change is right, update the snapshot (`-u`). What differs from boot to boot is taken out with `normalizers`.'

function negated(): OptionError {
  return new OptionError(
    'INVALID_OPTION',
    'toMatchBootLog cannot be used with `.not`: a snapshot is what was, not what must not be',
    {
      hint: 'Write `expect(vm).not.toHavePrinted(…)` for what must not be printed.',
    },
  )
}

function withoutSnapshots(): OptionError {
  return new OptionError('INVALID_OPTION', 'toMatchBootLog was registered without the runner’s snapshots', {
    hint: 'Register all matchers at once, with `expect.extend(machineMatchers({ toMatchSnapshot, … }))`.',
  })
}
