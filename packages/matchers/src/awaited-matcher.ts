/** What all matchers that wait have in common: they are counted while they wait, and end with their test. */
import { types } from 'node:util'
import { layoutMessage, machineSections } from '@coldboot/core/internal'
import { formatCall } from './format-call.ts'
import { unlessTestEnded } from './machine-wait.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import { matcherMessage } from './matcher-message.ts'
import { type MatcherVM, requireMachine } from './matcher-vm.ts'
import { countPending } from './pending-matchers.ts'
import { TIME_LEFT } from './time-left.ts'

/** What a matcher found. */
export interface Verdict {
  readonly pass: boolean
  /** Made when the message is asked for. A text is a whole one: that of an error, which has what the machine printed. */
  readonly report: () => Report | string
  /** With `expected`: what there was instead. */
  readonly actual?: unknown
  readonly expected?: unknown
}

/** What happened, and what to do about it. */
export interface Report {
  readonly what: string
  readonly hint: string
  /** Title → text, above what the machine printed; undefined: not that one. */
  readonly sections?: Readonly<Record<string, string | undefined>>
}

/** Those that are not to be shown. */
function without(sections: Report['sections'] = {}): Report['sections'] {
  return Object.fromEntries(Object.entries(sections).filter(([, text]) => text === undefined))
}

/** Runs a matcher that waits. @param args as its user gave them */
export async function awaitedMatcher(
  context: MatcherContext,
  matcher: string,
  received: unknown,
  args: readonly unknown[],
  judge: (vm: MatcherVM) => Promise<Verdict>,
): Promise<MatcherResult> {
  const vm = requireMachine(matcher, received)
  const call = formatCall(context, matcher, args)
  using _pending = countPending(vm, call)
  const { report, ...verdict } = await judge(vm).catch(unlessTestEnded)
  return { ...verdict, message: () => matcherMessage(call, layout(context, vm, verdict, report())) }
}

function differenceOf({ utils }: MatcherContext, { expected, actual }: Omit<Verdict, 'report'>): string | undefined {
  // Of two kinds of values a runner says only that.
  if (types.isRegExp(expected)) return `Expected: ${String(expected)}\nReceived: ${String(actual)}`
  return utils.diff?.(expected, actual) ?? undefined
}

function layout(
  context: MatcherContext,
  vm: MatcherVM,
  verdict: Omit<Verdict, 'report'>,
  report: Report | string,
): string {
  if (typeof report === 'string') return report
  const { what, hint, sections } = report
  const differs = 'expected' in verdict
  const { printsDiff = true, task } = context
  if (!differs || !printsDiff) {
    const difference = differs ? differenceOf(context, verdict) : undefined
    return layoutMessage(what, hint, {
      Difference: difference,
      ...sections,
      ...machineSections(vm),
      ...without(sections),
    })
  }
  // Whoever keeps the test’s time tells of its machines too, below the difference that the runner puts here.
  const told = task !== undefined && TIME_LEFT in task
  return layoutMessage(what, hint, { ...sections, ...(told ? {} : machineSections(vm)) })
}
