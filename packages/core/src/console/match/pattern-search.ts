/** Searches a growing text for one pattern. Remembers the position from which it must search again. */
import type { Pattern } from './pattern.ts'
import { END_MARK, partialMatchOf } from './regexp/partial-match.ts'
import { analyzeRegExp, parseRegExp, type RegExpAnalysis, UNKNOWN_ANALYSIS } from './regexp/regexp-analysis.ts'
import { isOverflow, type RegExpTimeout } from './regexp/regexp-timeout.ts'

/** The last part of the text. Positions are counted from the cursor. */
export interface Window {
  readonly text: string
  /** Position of the first character of `text`. */
  readonly base: number
}

/** A match in the text. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly result: RegExpExecArray | undefined
}

/** The search for one pattern. */
export interface PatternSearch {
  /** The match, if further text cannot change it. */
  readonly found: Span | undefined
  /** No match starts before this position. */
  readonly from: number
  /** Characters before `from` that must stay in the window. */
  readonly lookBehind: number
  /** Whether a match at the end of the text could have become longer. */
  readonly openEnded: boolean
  /** Whether {@link conclude} could find a match now. */
  readonly concludes: boolean
  /** Searches the text after an addition. */
  scan(window: Window): void
  /** The match if no further text follows. */
  conclude(window: Window): Span | undefined
  /** Drops matches that start before `place`, which is no longer kept. */
  skipTo(place: number): void
}

/** Creates the search for a pattern. @param regExpTimeout limits the time of regular expressions */
export function searchFor(pattern: Pattern, regExpTimeout: RegExpTimeout): PatternSearch {
  return typeof pattern === 'string' ? new StringSearch(pattern) : new RegExpSearch(pattern, regExpTimeout)
}

class StringSearch implements PatternSearch {
  readonly #pattern: string
  found: Span | undefined
  from = 0
  readonly lookBehind = 0
  readonly openEnded = false

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  get concludes(): boolean {
    return this.found !== undefined
  }

  scan({ text, base }: Window): void {
    const pattern = this.#pattern
    const at = text.indexOf(pattern, this.from - base)
    if (at >= 0) {
      this.from = base + at
      this.found = { start: this.from, end: this.from + pattern.length, text: pattern, result: undefined }
      return
    }
    this.from = base + startAtEnd(text, pattern, this.from - base)
  }

  conclude(): Span | undefined {
    return this.found
  }

  skipTo(place: number): void {
    this.from = Math.max(this.from, place)
  }
}

class RegExpSearch implements PatternSearch {
  readonly #original: RegExp
  readonly #regexp: RegExp
  readonly #partialMatch: RegExp | undefined
  readonly #analysis: RegExpAnalysis
  readonly #regExpTimeout: RegExpTimeout
  readonly #bounds = new Map<number, number>()
  /** Whether a match may have started whose end is not in the text yet. */
  #open = false
  /** Position from which the literal `rest` was not searched yet. */
  #restFrom = 0
  found: Span | undefined
  from = 0

  constructor(original: RegExp, regExpTimeout: RegExpTimeout) {
    const tree = parseRegExp(original)
    this.#original = original
    this.#regexp = new RegExp(original.source, `${original.flags.replace(/[dgy]/g, '')}g`)
    this.#partialMatch = tree === undefined ? undefined : partialMatchOf(original, tree)
    this.#analysis = tree === undefined ? UNKNOWN_ANALYSIS : analyzeRegExp(original, tree)
    this.#regExpTimeout = regExpTimeout
  }

  get lookBehind(): number {
    return this.#analysis.lookBehind
  }

  get openEnded(): boolean {
    return this.#analysis.openEnded
  }

  get concludes(): boolean {
    return this.found !== undefined || this.#open
  }

  scan(window: Window): void {
    if (!this.#mayMatch(window)) return
    // Without all literals, no match ends in this text. Only a match that starts after the edge is still possible.
    if (!this.#hasLiterals(window)) this.from = this.#edge(window)
    this.#inTime(window, () => this.#scan(window))
  }

  conclude(window: Window): Span | undefined {
    if (this.found !== undefined) return this.found
    return this.#inTime(window, () =>
      spanOf(this.#run(this.#regexp, window.text, this.from - window.base), window.base),
    )
  }

  skipTo(place: number): void {
    this.from = Math.max(this.from, place)
  }

  /**
   * A match that starts before the *edge* ends before the end of the text, so further text cannot change it. Before the
   * edge, the original expression is used. The rewritten expression is slower, and is used only after the edge.
   */
  #scan(window: Window): void {
    const edge = this.#edge(window)
    if (edge > this.from || this.#partialMatch === undefined) {
      const match = this.#run(this.#regexp, window.text, this.from - window.base)
      if (match !== null && window.base + match.index < edge) {
        this.found = spanOf(match, window.base)
        return
      }
      this.from = edge
    }
    if (this.#partialMatch === undefined) this.#open = true
    else this.#matchTail(this.#partialMatch, window)
  }

  /**
   * Searches the literals of the expression first, which is much faster than running the expression. Without `prefix`,
   * no match can start. Without `rest`, a match that has started stays open.
   */
  #mayMatch({ text, base }: Window): boolean {
    const { prefix, rest } = this.#analysis
    if (prefix === '') return true
    const at = text.indexOf(prefix, this.from - base)
    if (at < 0) {
      this.from = base + startAtEnd(text, prefix, this.from - base)
      this.#open = this.from < base + text.length
      return false
    }
    this.from = base + at
    if (rest === '') return true
    this.#restFrom = Math.max(this.#restFrom, this.from + prefix.length)
    if (text.includes(rest, this.#restFrom - base)) return true
    this.#restFrom = Math.max(this.#restFrom, base + text.length - rest.length + 1)
    this.#open = true
    return false
  }

  /** Whether the text contains all literals of the expression, in their order. */
  #hasLiterals({ text, base }: Window): boolean {
    let at = this.from - base
    for (const literal of this.#analysis.literals) {
      at = text.indexOf(literal, at)
      if (at < 0) return false
      at += literal.length
    }
    return true
  }

  #edge({ text, base }: Window): number {
    const { longest, crossesLines } = this.#analysis
    let edge = this.from - base
    if (Number.isFinite(longest)) edge = Math.max(edge, text.length - longest)
    if (!crossesLines) edge = Math.max(edge, text.lastIndexOf('\n') + 1)
    return Math.max(this.from, base + wholeCharacter(text, edge))
  }

  #matchTail(partialMatch: RegExp, { text, base }: Window): void {
    const start = wholeCharacter(text, Math.max(0, this.from - base - this.#analysis.lookBehind))
    const tail = text.slice(start) + END_MARK
    let match: RegExpExecArray | null
    try {
      match = this.#run(partialMatch, tail, this.from - base - start)
    } catch (error) {
      // The rewritten expression needs more memory than the original. Without its result, the match stays open.
      if (!isOverflow(error)) throw error
      this.#open = true
      return
    }
    // At the end mark and after it, the rewritten expression always matches. Such a match is relevant only if the
    // original can match the empty string.
    const end = tail.length - END_MARK.length
    this.from = base + start + Math.min(match?.index ?? end, end)
    this.#open = match !== null && (match.index < end || (match.index === end && this.#analysis.mayBeEmpty))
    if (this.#open && match !== null && match.index + match[0].length <= end) {
      this.found = spanOf(this.#run(this.#regexp, text, this.from - base), base)
    }
  }

  #run(regexp: RegExp, text: string, from: number): RegExpExecArray | null {
    regexp.lastIndex = from
    return regexp.exec(text)
  }

  #inTime<T>({ text, base }: Window, job: () => T): T {
    const start = this.from - base
    const length = text.length - start
    const reach = this.#analysis.crossesLines ? length : longestLine(text, start)
    return this.#regExpTimeout(this.#original, length, this.#bound(length, reach), job)
  }

  /** Upper bound of the steps to search `length` characters if each attempt can cover `reach` of them. */
  #bound(length: number, reach: number): number {
    // Rounded up, so that few values are computed.
    const rounded = 2 ** Math.ceil(Math.log2(Math.max(16, reach)))
    const known = this.#bounds.get(rounded)
    const bound = known ?? this.#analysis.backtracking(rounded)
    if (known === undefined) this.#bounds.set(rounded, bound)
    return length * bound * (Number.isFinite(this.#analysis.longest) ? 1 : rounded)
  }
}

/** Position at which the text ends with a start of `literal`; the length of the text if it does not. */
function startAtEnd(text: string, literal: string, from: number): number {
  const first = literal.charAt(0)
  let at = text.indexOf(first, Math.max(from, text.length - literal.length + 1))
  while (at >= 0 && !literal.startsWith(text.slice(at))) at = text.indexOf(first, at + 1)
  return at < 0 ? text.length : at
}

function spanOf(match: RegExpExecArray | null, base: number): Span | undefined {
  if (match === null) return undefined
  const start = base + match.index
  return { start, end: start + match[0].length, text: match[0], result: match }
}

/** `at`, or the position before it if `at` is inside a surrogate pair. */
export function wholeCharacter(text: string, at: number): number {
  const code = at > 0 ? text.charCodeAt(at) : 0
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at
}

function longestLine(text: string, start: number): number {
  let longest = 0
  let from = start
  for (let end = text.indexOf('\n', from); end >= 0; end = text.indexOf('\n', from)) {
    longest = Math.max(longest, end - from)
    from = end + 1
  }
  return Math.max(longest, text.length - from)
}
