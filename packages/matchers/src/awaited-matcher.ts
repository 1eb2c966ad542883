/** Shared code of the matchers that wait: registers pending matchers, and formats their messages. */
import { types } from 'node:util'
import { layoutMessage, machineSections } from '@coldboot/core/internal'
import { formatCall } from './format-call.ts'
import { unlessTestEnded } from './machine-wait.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import { matcherMessage } from './matcher-message.ts'
import { type MatcherVM, requireMachine } from './matcher-vm.ts'
import { countPending } from './pending-matchers.ts'
import { TIME_LEFT } from './time-left.ts'

/** The outcome of a matcher. */
export interface Verdict {
  readonly pass: boolean
  /** Creates the report on demand. A string is a complete message, for example that of an error. */
  readonly report: () => Report | string
  /** The value found instead of `expected`. */
  readonly actual?: unknown
  readonly expected?: unknown
}

/** The parts of a failure message. */
export interface Report {
  readonly what: string
  readonly hint: string
  /** Title → text, shown above the console output. `undefined` hides the section of that title. */
  readonly sections?: Readonly<Record<string, string | undefined>>
}

/** The sections that are hidden. */
function hiddenSections(sections: Report['sections'] = {}): Report['sections'] {
  return Object.fromEntries(Object.entries(sections).filter(([, text]) => text === undefined))
}

/** Runs a matcher that waits. @param args the arguments of the call, for messages */
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
  // For values of different types, test runners report only the types.
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
      ...hiddenSections(sections),
    })
  }
  // A runner package that sets TIME_LEFT also adds the console output, below the diff that the runner prints here.
  const added = task !== undefined && TIME_LEFT in task
  return layoutMessage(what, hint, { ...sections, ...(added ? {} : machineSections(vm)) })
}
