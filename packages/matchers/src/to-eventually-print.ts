import { ColdbootError, type ExpectOptions, type Match, type PatternInput } from '@coldboot/core'
import { describePatterns, layoutMessage, machineSections, patternList } from '@coldboot/core/internal'
import { hintOf } from './format-call.ts'
import { unlessTestEnded } from './machine-wait.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import { matcherMessage } from './matcher-message.ts'
import { type MatcherVM, requireMachine } from './matcher-vm.ts'
import { checkOptionNames } from './option-names.ts'
import { cutNote, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toEventuallyPrint`: those of `vm.expect`. */
export interface EventuallyPrintOptions extends Omit<ExpectOptions, 'timeout'>, WindowOptions {}

const OPTION_NAMES: readonly (keyof EventuallyPrintOptions)[] = ['timeout', 'idleTimeout', 'view', 'signal']

/** Codes of waits that ended without the pattern. Other errors are rethrown. */
const NOT_PRINTED: readonly string[] = ['EXPECT_TIMEOUT', 'EXPECT_EXITED']

/** Waits for the pattern and consumes it; with `.not`, checks that it is not printed in the whole window. */
export async function toEventuallyPrint(
  this: MatcherContext,
  received: unknown,
  pattern: PatternInput,
  options: EventuallyPrintOptions = {},
): Promise<MatcherResult> {
  const vm = requireMachine('toEventuallyPrint', received)
  // Checked before the first `await`, so that the error has the line of the call.
  checkOptionNames('toEventuallyPrint', options, OPTION_NAMES)
  const { timeout, ...rest } = options
  const window = waitWindow(this, vm, timeout)
  const call = hintOf(this, 'toEventuallyPrint', describePatterns(patternList(pattern)))
  const outcome = await outcomeOf(vm.expect(pattern, { ...rest, timeout: window.granted }))
  if ('match' in outcome) return { pass: true, message: () => matcherMessage(call, printed(vm, outcome.match)) }
  const { error } = outcome
  if (!isFailure(this, error)) return unlessTestEnded(error)
  const note = error.code === 'EXPECT_TIMEOUT' ? cutNote(window, vm) : ''
  return { pass: false, message: () => matcherMessage(call, note + error.message) }
}

/** Whether the error means that the pattern was not printed; with `.not`, that it was not printed in the whole window. */
export function isFailure(context: MatcherContext, error: ColdbootError): boolean {
  if (ColdbootError.is(error.cause) && error.cause.code === 'TEST_ENDED') return false
  const interrupted = error.code === 'EXPECT_ABORTED' || error.code.startsWith('GUEST_')
  return NOT_PRINTED.includes(error.code) || (interrupted && !context.isNot)
}

type Outcome = { readonly match: Match } | { readonly error: ColdbootError }

/** Returns the outcome of a wait. Rethrows errors that are not from coldboot. */
export async function outcomeOf(wait: Promise<Match>): Promise<Outcome> {
  try {
    return { match: await wait }
  } catch (error) {
    if (ColdbootError.is(error)) return { error }
    throw error
  }
}

function printed(vm: MatcherVM, match: Match): string {
  const what = `"${vm.name}" printed ${JSON.stringify(match.text)}`
  return layoutMessage(what, 'It must not be printed within the `timeout`.', machineSections(vm))
}
