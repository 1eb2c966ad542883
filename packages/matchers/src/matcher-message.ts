/** The one layout of the matchers’ messages: the call, what happened, and what the machine printed. */
import { describePatterns, type PatternInput, patternList } from '@coldboot/core'
import type { MatcherContext } from './matcher-context.ts'

/** @param body what happened, in the layout of this project’s errors */
export function matcherMessage(context: MatcherContext, matcher: string, pattern: PatternInput, body: string): string {
  const hint = context.utils.matcherHint(matcher, 'vm', describePatterns(patternList(pattern)), {
    isNot: context.isNot ?? false,
    promise: context.promise ?? '',
  })
  return `${hint}\n\n${body}`
}
