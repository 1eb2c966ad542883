import { ExpectError, type Match, OptionError, type PatternInput } from '@coldboot/core'
import { describePatterns, formatDuration, lastStage, machineSections, patternList } from '@coldboot/core/internal'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import { TIME_UP, within } from './machine-wait.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { checkOptionNames } from './option-names.ts'
import { outcomeOf } from './to-eventually-print.ts'
import { cutNote, type WaitWindow, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toBoot`. */
export interface BootOptions extends WindowOptions {
  /** Pattern that the machine prints when it has booted. @default the machine's `ready` */
  readonly until?: PatternInput | undefined
  /**
   * The window, milliseconds, before the machine's multiplier.
   * @default the machine's `bootTimeout`; with `.not` 1000
   */
  readonly timeout?: number | undefined
}

/** Waits until the machine has booted, or passes at once if it has; with `.not`, checks that it does not boot. */
export function toBoot(this: MatcherContext, received: unknown, options: BootOptions = {}): Promise<MatcherResult> {
  return awaitedMatcher(this, 'toBoot', received, [options], (vm) => judge(this, vm, options))
}

async function judge(context: MatcherContext, vm: MatcherVM, options: BootOptions): Promise<Verdict> {
  checkOptionNames('toBoot', options, ['until', 'timeout'])
  const until = options.until ?? vm.spec.ready
  if (until === undefined) throw nothingToWaitFor(vm)
  const outcome = await boot(context, vm, until, options)
  return 'match' in outcome ? { pass: true, report: () => booted(vm, until) } : outcome
}

/** Waits for `until` like {@link toBoot}. @returns the match, or the verdict that it was not printed */
export async function boot(
  context: MatcherContext,
  vm: MatcherVM,
  until: PatternInput,
  options: BootOptions,
): Promise<{ readonly match: Match } | Verdict> {
  const window = waitWindow(context, vm, options.timeout, vm.spec.bootTimeoutMs)
  // Earlier output counts: the machine may have booted before the call.
  if (options.until !== undefined || context.isNot) {
    const match = vm.hasPrinted(until)
    if (match !== undefined) return { match }
  }
  const waitsItself = options.until === undefined && !context.isNot
  // `vm.ready()` keeps its match for all callers. An expect of the pattern would consume it.
  const wait = waitsItself ? ready(vm, window) : vm.expect(until, { timeout: window.granted })
  const outcome = await outcomeOf(wait)
  if ('match' in outcome) return outcome
  const { error } = outcome
  // With `.not`, a failed guest counts as not booted. An aborted wait proves nothing, because it was shorter than the window.
  if (context.isNot && error.code === 'EXPECT_ABORTED') throw error
  const note = error.code === 'EXPECT_TIMEOUT' ? cutNote(window, vm) : ''
  return { pass: false, report: () => note + error.message }
}

/** Waits for the machine's `ready`, at most for the window. */
async function ready(vm: MatcherVM, window: WaitWindow): Promise<Match> {
  const limit = window.granted < vm.spec.bootTimeoutMs ? window.granted : Infinity
  const match = await within(vm, { ...window, granted: limit }, vm.ready())
  if (match !== TIME_UP) return match
  const pattern = describePatterns(patternList(vm.spec.ready ?? []))
  const waited = formatDuration(window.granted * vm.spec.timeoutMultiplier)
  throw new ExpectError('EXPECT_TIMEOUT', `"${vm.name}" had not booted after ${waited}: it did not print ${pattern}`, {
    hint: 'Check in the console how far the boot got. If it only needs more time, raise the `timeout` of the matcher or of the test.',
    sections: { Circumstances: circumstances(vm), ...machineSections(vm) },
  })
}

function circumstances(vm: MatcherVM): string {
  const stage = lastStage(vm.output)
  const lines = stage === undefined ? [] : [`boot: reached ${stage}`]
  if (vm.spec.accelerator === 'tcg') {
    lines.push(`speed: emulated without hardware acceleration (${vm.spec.acceleratorReason})`)
  }
  return lines.join('\n')
}

function booted(vm: MatcherVM, until: PatternInput): Report {
  const what = `"${vm.name}" has booted: it printed ${describePatterns(patternList(until))}`
  return { what, hint: 'The machine must not boot within the `timeout`. Output before the call counts too.' }
}

function nothingToWaitFor(vm: MatcherVM): OptionError {
  return new OptionError('INVALID_OPTION', `toBoot has no pattern to wait for: "${vm.name}" has no \`ready\``, {
    hint: 'Set `ready` of the machine to the last text that its boot prints, or write `toBoot({ until: "login: " })`.',
  })
}
