import { type Match, type PatternInput } from '@coldboot/core'
import { describePatterns, layoutMessage, machineSections, patternList } from '@coldboot/core/internal'
import { hintOf } from './format-call.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import { matcherMessage } from './matcher-message.ts'
import { type MatcherVM, requireMachine } from './matcher-vm.ts'

/** Looks for the pattern in everything the machine has printed so far. Does not wait, does not consume. */
export function toHavePrinted(this: MatcherContext, received: unknown, pattern: PatternInput): MatcherResult {
  const vm = requireMachine('toHavePrinted', received)
  const match = vm.hasPrinted(pattern)
  const call = hintOf(this, 'toHavePrinted', describePatterns(patternList(pattern)))
  return {
    pass: match !== undefined,
    message: () => matcherMessage(call, match ? printed(vm, match) : notPrinted(vm)),
  }
}

function printed(vm: MatcherVM, match: Match): string {
  const hint = 'Everything counts that was printed so far, during the boot too.'
  return layoutMessage(`"${vm.name}" has printed ${JSON.stringify(match.text)}`, hint, machineSections(vm))
}

function notPrinted(vm: MatcherVM): string {
  const hint = 'This looks back only; for what is still to come, write `await expect(vm).toEventuallyPrint(…)`.'
  return layoutMessage(
    `"${vm.name}" has not printed it, in ${vm.output.length} characters so far`,
    hint,
    machineSections(vm),
  )
}
