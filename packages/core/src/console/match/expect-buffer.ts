/**
 * One search of the output, from the cursor on, for one pattern or the earliest of several.
 *
 * What it finds does not depend on how the output was cut into pieces, nor on when they came:
 *
 * - The result is that of `indexOf` or `RegExp.exec` on all the output that is ever to follow the cursor; of several
 *   patterns the earliest match, ties by order. `^` is the cursor, with `m` also the start of a line; `$` is the end of
 *   the output, with `m` also the end of a line.
 * - It is returned as soon as no further output can change it. `/inet ([\d.]+)/` on `inet 10.0.0.1` waits for the next
 *   character, since the address might go on; so does `"ab"` in the list `["abc", "ab"]` on `ab`.
 * - Where the next character does not come, the output there is counts as the whole: when it *settles* (nothing for a
 *   moment, so that a prompt is found although no line end follows), at the deadline of the wait, and at the end of the
 *   output. A match that reaches the end and could have been longer (`/[\d.]+/`) needs a longer silence than one that
 *   could not (`/# $/`).
 *
 * The cost is linear in the output. Each pattern remembers where its match might begin, and the text before that is
 * forgotten; while that place stays where it is, the text is searched again only when it has grown by half, or settles.
 */
import type { Found, Pattern } from './pattern.ts'
import { type PatternSearch, type Span, searchFor, wholeCharacter } from './pattern-search.ts'
import { type Guard, makeGuard } from './regexp-guard.ts'

/** Up to this length, characters, the text is searched again for every addition. */
const SHORT = 1024

/** Options of {@link ExpectBuffer}. */
export interface ExpectBufferOptions {
  /** Bounds the time of regular expressions. */
  readonly guard?: Guard
  /** Most characters kept for a match that has begun; older ones are given up. @default Infinity */
  readonly keep?: number
}

/** The text from the cursor on, as far as a match can still begin in it, and the patterns looked for. */
export class ExpectBuffer {
  readonly #searches: readonly PatternSearch[]
  readonly #keep: number
  #text = ''
  #base = 0
  /** Length of the text when it was last searched, and what was added since. */
  #searched = 0
  #added = 0

  constructor(patterns: readonly Pattern[], options: ExpectBufferOptions = {}) {
    const guard = options.guard ?? makeGuard()
    this.#searches = patterns.map((pattern) => searchFor(pattern, guard))
    this.#keep = options.keep ?? Infinity
  }

  /**
   * Adds output.
   * @returns the match, once no further output can change it
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

  /** Whether {@link settle} could find something that {@link push} did not. */
  get undecided(): boolean {
    return this.#added > 0 || this.#searches.some((search) => search.concludes)
  }

  /**
   * Takes the output so far as the whole, for now: more may follow if nothing is found.
   *
   * @param patient whether the silence was long enough for a match that might have gone on
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

  /** Takes the output so far as the whole: nothing will follow. */
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
      // The character before tells `^` that this is not the cursor.
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

  /** Whether no other pattern can still match earlier, or at the same place with precedence. */
  #isFinal(best: Found): boolean {
    return this.#searches.every(
      (search, index) =>
        search.found !== undefined || search.from > best.start || (search.from === best.start && index > best.index),
    )
  }
}
