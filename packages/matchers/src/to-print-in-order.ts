import {
  ColdbootError,
  type ExpectOptions,
  type Match,
  OptionError,
  type Pattern,
  type PatternInput,
} from '@coldboot/core'
import { now, patternList } from '@coldboot/core/internal'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { checkOptionNames } from './option-names.ts'
import { isFailure, outcomeOf } from './to-eventually-print.ts'
import { cutNote, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toPrintInOrder`. */
export interface PrintInOrderOptions extends WindowOptions {
  /** Which text is searched; see `vm.expect`. @default 'clean' */
  readonly view?: ExpectOptions['view'] | undefined
  /** Aborts the wait. */
  readonly signal?: AbortSignal | undefined
}

/** Waits for the patterns in this order and consumes them; with `.not`, checks that the last one is not printed. */
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
  vm: MatcherVM,
  patterns: readonly PatternInput[],
  options: PrintInOrderOptions,
): Promise<Verdict> {
  const lists = listsOf(patterns)
  checkOptionNames('toPrintInOrder', options, ['timeout', 'view', 'signal'])
  const { timeout, view, signal } = options
  const window = waitWindow(context, vm, timeout)
  const end = now() + window.granted * vm.spec.timeoutMultiplier
  const matches: Match[] = []
  for (const list of lists) {
    // One window for all patterns. At least 1 ms, so that output printed in time still counts.
    const left = Math.max(end - now(), 1) / vm.spec.timeoutMultiplier
    const more = { ...(view ? { view } : {}), ...(signal ? { signal } : {}) }
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
  throw new OptionError('INVALID_OPTION', 'toPrintInOrder takes a list of at least one pattern', {
    hint: 'For example: `await expect(vm).toPrintInOrder(["first", /second/])`.',
  })
}

/** Amount of output that is searched for the actual order of the patterns, characters. */
const LOOKED_AT = 262_144

/**
 * The patterns in the order in which they were printed: the matched ones, and the first occurrences of the others in the
 * output since the start of the wait.
 */
function orderOf(vm: MatcherVM, patterns: readonly PatternInput[], matches: readonly Match[]): readonly PatternInput[] {
  const consumed = matches.map(({ before, text }) => before + text).join('')
  const { output } = vm
  const at = consumed === '' ? -1 : output.lastIndexOf(consumed)
  const text = (consumed + (at < 0 ? '' : output.slice(at + consumed.length))).slice(0, LOOKED_AT)
  let end = 0
  const places = patterns.map((pattern, index) => {
    const match = matches[index]
    if (match === undefined) return { pattern, place: placeIn(text, patternList(pattern)) }
    end += match.before.length + match.text.length
    return { pattern, place: end - match.text.length }
  })
  const found = places.filter(({ place }) => place >= 0)
  return found.sort((a, b) => a.place - b.place).map(({ pattern }) => pattern)
}

/** Offset of the first occurrence of any of the patterns; -1 without one. */
function placeIn(text: string, patterns: readonly Pattern[]): number {
  const places = patterns.map((pattern) => {
    return typeof pattern === 'string' ? text.indexOf(pattern) : text.search(pattern)
  })
  const [first = -1] = places.filter((place) => place >= 0).sort((a, b) => a - b)
  return first
}

function missing(
  note: string,
  lists: readonly (readonly Pattern[])[],
  matches: readonly Match[],
  { shortMessage, hint, sections }: ColdbootError,
): Report {
  const before = matches.at(-1)
  const after = before === undefined ? '' : ` after ${JSON.stringify(before.text.slice(-80))}`
  const what = `${note}Pattern ${matches.length + 1} of ${lists.length} was not printed${after}: ${shortMessage}`
  const { 'Closest output': closest, Circumstances: circumstances } = sections
  return {
    what,
    hint,
    sections: { 'Closest output': closest, Circumstances: circumstances },
  }
}

function allPrinted(vm: MatcherVM, matches: readonly Match[]): Report {
  const what = `"${vm.name}" printed all patterns in this order: ${matches.map(({ text }) => JSON.stringify(text)).join(', ')}`
  return { what, hint: 'They must not be printed in this order within the `timeout`.' }
}
