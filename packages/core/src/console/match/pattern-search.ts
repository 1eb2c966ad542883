/** Search for one pattern in a growing text. Remembers from which position it must search again. */
import type { Pattern } from './pattern.ts'
import { type Guard, isOverflow } from './regexp-guard.ts'
import { END_MARK, probeOf } from './regexp-probe.ts'
import { type RegExpShape, shapeOf, UNKNOWN_SHAPE } from './regexp-shape.ts'
import { parseRegExp } from './regexp-syntax.ts'

/** The end of the text so far. Positions are counted from the cursor. */
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
  /** The match, if no longer text can change it. */
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

/** @param guard limits the time of regular expressions */
export function searchFor(pattern: Pattern, guard: Guard): PatternSearch {
  return typeof pattern === 'string' ? new StringSearch(pattern) : new RegExpSearch(pattern, guard)
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
    // The text may end with the start of the pattern.
    const first = pattern.charAt(0)
    let tail = text.indexOf(first, Math.max(this.from - base, text.length - pattern.length + 1))
    while (tail >= 0 && !pattern.startsWith(text.slice(tail))) tail = text.indexOf(first, tail + 1)
    this.from = base + (tail < 0 ? text.length : tail)
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
  readonly #probe: RegExp | undefined
  readonly #shape: RegExpShape
  readonly #guard: Guard
  readonly #ways = new Map<number, number>()
  /** Whether a match may have started that the end of the text cuts off. */
  #open = false
  found: Span | undefined
  from = 0

  constructor(original: RegExp, guard: Guard) {
    const tree = parseRegExp(original)
    this.#original = original
    this.#regexp = new RegExp(original.source, `${original.flags.replace(/[dgy]/g, '')}g`)
    this.#probe = tree === undefined ? undefined : probeOf(original, tree)
    this.#shape = tree === undefined ? UNKNOWN_SHAPE : shapeOf(original, tree)
    this.#guard = guard
  }

  get lookBehind(): number {
    return this.#shape.lookBehind
  }

  get openEnded(): boolean {
    return this.#shape.openEnded
  }

  get concludes(): boolean {
    return this.found !== undefined || this.#open
  }

  scan(window: Window): void {
    this.#guarded(window, () => this.#scan(window))
  }

  conclude(window: Window): Span | undefined {
    if (this.found !== undefined) return this.found
    return this.#guarded(window, () =>
      spanOf(this.#run(this.#regexp, window.text, this.from - window.base), window.base),
    )
  }

  skipTo(place: number): void {
    this.from = Math.max(this.from, place)
  }

  /**
   * A match that starts before the *edge* ends before the end of the text, so further text cannot change it. Up to the
   * edge the expression itself is used; the slower probe is needed only after it.
   */
  #scan(window: Window): void {
    const edge = this.#edge(window)
    if (edge > this.from || this.#probe === undefined) {
      const match = this.#run(this.#regexp, window.text, this.from - window.base)
      if (match !== null && window.base + match.index < edge) {
        this.found = spanOf(match, window.base)
        return
      }
      this.from = edge
    }
    if (this.#probe === undefined) this.#open = true
    else this.#probeTail(this.#probe, window)
  }

  #edge({ text, base }: Window): number {
    const { longest, crossesLines } = this.#shape
    let edge = this.from - base
    if (Number.isFinite(longest)) edge = Math.max(edge, text.length - longest)
    if (!crossesLines) edge = Math.max(edge, text.lastIndexOf('\n') + 1)
    return Math.max(this.from, base + wholeCharacter(text, edge))
  }

  #probeTail(probe: RegExp, { text, base }: Window): void {
    const start = wholeCharacter(text, Math.max(0, this.from - base - this.#shape.lookBehind))
    const tail = text.slice(start) + END_MARK
    let match: RegExpExecArray | null
    try {
      match = this.#run(probe, tail, this.from - base - start)
    } catch (error) {
      // The probe needs more memory than the expression. Without its result the match stays open.
      if (!isOverflow(error)) throw error
      this.#open = true
      return
    }
    // At the end mark and after it, everything matches. This matters only for expressions that match without a
    // character.
    const end = tail.length - END_MARK.length
    this.from = base + start + Math.min(match?.index ?? end, end)
    this.#open = match !== null && (match.index < end || (match.index === end && this.#shape.mayBeEmpty))
    if (this.#open && match !== null && match.index + match[0].length <= end) {
      this.found = spanOf(this.#run(this.#regexp, text, this.from - base), base)
    }
  }

  #run(regexp: RegExp, text: string, from: number): RegExpExecArray | null {
    regexp.lastIndex = from
    return regexp.exec(text)
  }

  #guarded<T>({ text, base }: Window, job: () => T): T {
    const start = this.from - base
    const length = text.length - start
    const reach = this.#shape.crossesLines ? length : longestLine(text, start)
    return this.#guard(this.#original, length, this.#work(length, reach), job)
  }

  /** Upper bound of the steps to search `length` characters if each attempt can cover `reach` of them. */
  #work(length: number, reach: number): number {
    // Rounded up, so that few values are computed.
    const rounded = 2 ** Math.ceil(Math.log2(Math.max(16, reach)))
    const known = this.#ways.get(rounded)
    const ways = known ?? this.#shape.ways(rounded)
    if (known === undefined) this.#ways.set(rounded, ways)
    return length * ways * (Number.isFinite(this.#shape.longest) ? 1 : rounded)
  }
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
