import { type Match, type PatternInput } from '@coldboot/core'
import { describePatterns, layoutMessage, machineSections, patternList } from '@coldboot/core/internal'
import { hintOf } from './format-call.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import { matcherMessage } from './matcher-message.ts'
import { type MatcherVM, requireMachine } from './matcher-vm.ts'

/** Searches everything the machine has printed so far. Does not wait or consume output. */
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
  const hint = 'All output so far counts, including the boot.'
  return layoutMessage(`"${vm.name}" has printed ${JSON.stringify(match.text)}`, hint, machineSections(vm))
}

function notPrinted(vm: MatcherVM): string {
  const hint = 'This matcher does not wait. To wait for the text, use `await expect(vm).toEventuallyPrint(…)`.'
  return layoutMessage(
    `"${vm.name}" has not printed it in the ${vm.output.length} characters so far`,
    hint,
    machineSections(vm),
  )
}
