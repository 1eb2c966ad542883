/**
 * Incremental search of the output after the cursor for one pattern, or the earliest match of several.
 *
 * The result does not depend on the chunks in which the output arrives, nor on the times of the chunks:
 *
 * - The result equals that of `indexOf` or `RegExp.exec` on all output that will ever follow the cursor. Of several
 *   patterns, the earliest match wins, ties by order. `^` is the cursor, with `m` also the start of a line; `$` is the
 *   end of the output, with `m` also the end of a line.
 * - A match is returned as soon as no further output can change it. `/inet ([\d.]+)/` on `inet 10.0.0.1` waits for the
 *   next character, because the address might continue; so does `"ab"` in the list `["abc", "ab"]` on `ab`.
 * - If no further character arrives, the output so far counts as complete: after a short silence (*settling*, so that a
 *   prompt matches without a line end), at the deadline of the wait, and at the end of the output. A match that reaches
 *   the end and could have become longer (`/[\d.]+/`) needs a longer silence than one that could not (`/# $/`).
 *
 * The cost is linear in the output. Each pattern remembers the first position at which its match may start, and earlier
 * text is dropped. While this position stays the same, the text is searched again only when it has grown by half or
 * settles.
 */
import type { Found, Pattern } from './pattern.ts'
import { type PatternSearch, type Span, searchFor, wholeCharacter } from './pattern-search.ts'
import { makeRegExpTimeout, type RegExpTimeout } from './regexp/regexp-timeout.ts'

/** Length up to which the text is searched again after every chunk, characters. */
const SHORT = 1024

/** Options of {@link ExpectBuffer}. */
export interface ExpectBufferOptions {
  /** Limits the time of regular expressions. */
  readonly regExpTimeout?: RegExpTimeout
  /** Most characters kept for a match that has started; older ones are dropped. @default Infinity */
  readonly keep?: number
}

/** The text in which a match can still start, and the searches of all patterns. */
export class ExpectBuffer {
  readonly #searches: readonly PatternSearch[]
  readonly #keep: number
  #text = ''
  #base = 0
  /** Length of the text at the last search, and number of characters added since then. */
  #searched = 0
  #added = 0

  constructor(patterns: readonly Pattern[], options: ExpectBufferOptions = {}) {
    const regExpTimeout = options.regExpTimeout ?? makeRegExpTimeout()
    this.#searches = patterns.map((pattern) => searchFor(pattern, regExpTimeout))
    this.#keep = options.keep ?? Infinity
  }

  /**
   * Adds output.
   * @returns the match, if no further output can change it
   * @throws ExpectError `PATTERN_TOO_SLOW`
   */
  push(text: string): Found | undefined {
    this.#text += text
    this.#added += text.length
    if (this.#searched > SHORT && this.#added < this.#searched / 2) return undefined
    this.#scan()
    const decided = this.#best((search) => search.found)
    return decided !== undefined && this.#isFinal(decided) ? decided : undefined
  }

  /** Whether {@link settle} could find a match that {@link push} did not find. */
  get undecided(): boolean {
    return this.#added > 0 || this.#searches.some((search) => search.concludes)
  }

  /**
   * Searches the output so far as if it were complete. More may follow if there is no match.
   *
   * @param patient whether the silence was long enough to accept a match that could have become longer
   * @throws ExpectError `PATTERN_TOO_SLOW`
   */
  settle(patient: boolean): Found | undefined {
    if (this.#added > 0) this.#scan()
    const window = { text: this.#text, base: this.#base }
    const best = this.#best((search) => search.conclude(window))
    if (best === undefined || patient) return best
    const couldGoOn = this.#searches[best.index]?.openEnded === true && best.end === this.#base + this.#text.length
    return couldGoOn ? undefined : best
  }

  /** Searches the complete output. */
  end(): Found | undefined {
    return this.settle(true)
  }

  #scan(): void {
    const window = { text: this.#text, base: this.#base }
    for (const search of this.#searches) {
      if (search.found === undefined) search.scan(window)
    }
    this.#forget()
    this.#searched = this.#text.length
    this.#added = 0
  }

  #forget(): void {
    const end = this.#base + this.#text.length
    const open = this.#searches.filter((search) => search.found === undefined)
    let needed = Math.min(end, ...open.map((search) => search.from - search.lookBehind))
    if (end - needed > this.#keep) {
      needed = end - this.#keep
      // The searches continue after one kept character, so that `^` does not match at the start of the kept text.
      for (const search of open) search.skipTo(needed + 1)
    }
    if (needed <= this.#base) return
    needed = this.#base + wholeCharacter(this.#text, needed - this.#base)
    this.#text = this.#text.slice(needed - this.#base)
    this.#base = needed
  }

  #best(spanOf: (search: PatternSearch) => Span | undefined): Found | undefined {
    let best: Found | undefined
    for (const [index, search] of this.#searches.entries()) {
      const span = spanOf(search)
      if (span !== undefined && (best === undefined || span.start < best.start)) best = { index, ...span }
    }
    return best
  }

  /** Whether no other pattern can still match earlier, or at the same position with precedence. */
  #isFinal(best: Found): boolean {
    return this.#searches.every(
      (search, index) =>
        search.found !== undefined || search.from > best.start || (search.from === best.start && index > best.index),
    )
  }
}
