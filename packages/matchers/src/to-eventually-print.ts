import {
  ColdbootError,
  ExpectError,
  type ExpectOptions,
  layoutMessage,
  type Match,
  machineSections,
  OptionError,
  type PatternInput,
} from '@coldboot/core'
import { type Machine, requireMachine } from './machine.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import { matcherMessage } from './matcher-message.ts'
import { timeLeft } from './time-left.ts'

/** Options of `toEventuallyPrint`. */
export interface EventuallyPrintOptions extends ExpectOptions {
  /**
   * The window, milliseconds, before the machine’s multiplier; another name for `timeout`.
   * @default the machine’s `timeout`; with `.not` 1000
   */
  readonly within?: number | undefined
}

/** How long `.not` waits when nothing else is said, milliseconds. */
export const NOT_WITHIN_MS = 1_000

/** What ends a wait without the pattern. Other errors are mistakes in the call, and are passed on as they are. */
const NOT_PRINTED: readonly string[] = ['EXPECT_TIMEOUT', 'EXPECT_EXITED']

/** Waits for the pattern and consumes it; with `.not`, waits the whole window for it not to come. */
export async function toEventuallyPrint(
  this: MatcherContext,
  received: unknown,
  pattern: PatternInput,
  options: EventuallyPrintOptions = {},
): Promise<MatcherResult> {
  const vm = requireMachine('toEventuallyPrint', received)
  const { within, timeout: given, ...rest } = options
  if (within !== undefined && given !== undefined) {
    throw new OptionError('INVALID_OPTION', '`within` and `timeout` are two names of one option, and both are given', {
      hint: 'Leave one out.',
    })
  }
  const asked = within ?? given ?? (this.isNot ? NOT_WITHIN_MS : vm.spec.timeoutMs)
  const timeout = this.isNot ? wholeWindow(this, vm, asked) : Math.min(asked, allowed(this, vm))
  const outcome = await outcomeOf(vm.expect(pattern, { ...rest, timeout }))
  if ('match' in outcome) return { pass: true, message: () => printedMessage(this, vm, pattern, outcome.match) }
  const { error } = outcome
  // Nobody awaits it any more; a rejection would only be reported as unhandled, beside the reason.
  if (ColdbootError.is(error.cause) && error.cause.code === 'TEST_ENDED') return new Promise(() => {})
  // With `.not`, neither has seen the whole window: that is no pass.
  const cutShort = !this.isNot && (error.code === 'EXPECT_ABORTED' || error.code.startsWith('GUEST_'))
  if (!cutShort && !NOT_PRINTED.includes(error.code)) throw error
  const note = timeout < asked && error.code === 'EXPECT_TIMEOUT' ? cutNote(asked, vm) : ''
  return { pass: false, message: () => matcherMessage(this, 'toEventuallyPrint', pattern, note + error.message) }
}

/** The longest wait that ends before the test does, milliseconds before the machine’s multiplier. */
function allowed(context: MatcherContext, vm: Machine): number {
  return timeLeft(context.task) / vm.spec.timeoutMultiplier
}

/** A shorter wait would prove less than was asked for. */
function wholeWindow(context: MatcherContext, vm: Machine, asked: number): number {
  if (asked <= allowed(context, vm)) return asked
  const left = Math.round(timeLeft(context.task))
  throw new ExpectError('TEST_TIMEOUT', `The test has ${left} ms left, less than the ${asked} ms to wait`)
}

type Outcome = { readonly match: Match } | { readonly error: ColdbootError }

async function outcomeOf(wait: Promise<Match>): Promise<Outcome> {
  try {
    return { match: await wait }
  } catch (error) {
    if (ColdbootError.is(error)) return { error }
    throw error
  }
}

function printedMessage(context: MatcherContext, vm: Machine, pattern: PatternInput, match: Match): string {
  const body = layoutMessage(
    `"${vm.name}" printed ${JSON.stringify(match.text)}`,
    'It came within the window in which it must not.',
    machineSections(vm),
  )
  return matcherMessage(context, 'toEventuallyPrint', pattern, body)
}

function cutNote(asked: number, vm: Machine): string {
  return `The test had no time left for the whole wait of ${asked * vm.spec.timeoutMultiplier} ms.\n`
}
