import { ColdbootError, type Match, OptionError, type Pattern, type PatternInput, patternList } from '@coldboot/core'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import type { Machine } from './machine.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import { isFailure, outcomeOf } from './to-eventually-print.ts'
import { cutNote, type WithinOptions, waitWindow } from './wait-window.ts'

/** Options of `toPrintInOrder`. */
export interface PrintInOrderOptions extends WithinOptions {
  /** Sees what was sent, escape codes and `\r` included. @default false */
  readonly raw?: boolean | undefined
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** Waits for one pattern after the other and consumes them; with `.not`, waits the whole window for the last not to come. */
export function toPrintInOrder(
  this: MatcherContext,
  received: unknown,
  patterns: readonly PatternInput[],
  options: PrintInOrderOptions = {},
): Promise<MatcherResult> {
  return awaitedMatcher(this, 'toPrintInOrder', received, [patterns, options], (vm) =>
    judge(this, vm, patterns, options),
  )
}

async function judge(
  context: MatcherContext,
  vm: Machine,
  patterns: readonly PatternInput[],
  options: PrintInOrderOptions,
): Promise<Verdict> {
  const lists = listsOf(patterns)
  const { within, raw = false, signal } = options
  const window = waitWindow(context, vm, within)
  const end = performance.now() + window.granted * vm.spec.timeoutMultiplier
  const matches: Match[] = []
  for (const list of lists) {
    // One window for all of them. What was printed in time counts however late it is looked at.
    const left = Math.max(end - performance.now(), 1) / vm.spec.timeoutMultiplier
    const more = { ...(raw ? { raw } : {}), ...(signal ? { signal } : {}) }
    const outcome = await outcomeOf(vm.expect(list, { ...more, timeout: left }))
    if ('match' in outcome) {
      matches.push(outcome.match)
      continue
    }
    const { error } = outcome
    if (!isFailure(context, error)) throw error
    if (error.code !== 'EXPECT_TIMEOUT') return { pass: false, report: () => error.message }
    const report = (): Report => missing(cutNote(window, vm), lists, matches, error)
    return { pass: false, report, expected: patterns, actual: orderOf(vm, patterns, matches) }
  }
  return { pass: true, report: () => allPrinted(vm, matches) }
}

function listsOf(patterns: readonly PatternInput[]): readonly (readonly Pattern[])[] {
  if (Array.isArray(patterns) && patterns.length > 0) return patterns.map(patternList)
  throw new OptionError('INVALID_OPTION', 'toPrintInOrder: a list of patterns was expected, with at least one in it', {
    hint: 'Write `await expect(vm).toPrintInOrder(["first", /second/])`.',
  })
}

/** The patterns in the order in which they were really printed: those that were matched, and where the others first stand. */
function orderOf(vm: Machine, patterns: readonly PatternInput[], matches: readonly Match[]): readonly PatternInput[] {
  let start = 0
  const seen = patterns.flatMap((pattern, index) => {
    const found = vm.hasPrinted(pattern)
    if (index >= matches.length && found === undefined) return []
    const at = found === undefined ? start : found.dropped + found.before.length
    // A pattern that was matched stands behind the one before it, wherever it was printed first.
    const place = index < matches.length ? Math.max(at, start) : at
    if (index < matches.length) start = place
    return [{ place, pattern }]
  })
  return seen.sort((a, b) => a.place - b.place).map(({ pattern }) => pattern)
}

function missing(
  note: string,
  lists: readonly (readonly Pattern[])[],
  matches: readonly Match[],
  { shortMessage, hint, sections }: ColdbootError,
): Report {
  const before = matches.at(-1)
  const behind = before === undefined ? '' : ` behind ${JSON.stringify(before.text.slice(-80))}`
  const what = `${note}Pattern ${matches.length + 1} of ${lists.length} did not come${behind}: ${shortMessage}`
  const { 'Closest output': closest, Circumstances: circumstances } = sections
  return {
    what,
    hint: hint.replace('`timeout`', '`within`'),
    sections: { 'Closest output': closest, Circumstances: circumstances },
  }
}

function allPrinted(vm: Machine, matches: readonly Match[]): Report {
  const what = `"${vm.name}" printed all of it in this order: ${matches.map(({ text }) => JSON.stringify(text)).join(', ')}`
  return { what, hint: 'They came within the window in which they must not.' }
}
