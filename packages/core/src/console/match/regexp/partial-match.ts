/**
 * Rewrites a regular expression so that it distinguishes a final match from one that further output could still change.
 *
 * `RegExp.exec` does not report whether a match depends on the end of the text. A match that depends on the end can
 * change when the text grows. Therefore the caller appends one character to the text, the *end mark*. The rewritten
 * expression may match the end mark wherever the original examines the next character. After the mark, all of its
 * elements match. It tries the same alternatives in the same order as the original. The result is one of these:
 *
 * - a match that ends before the mark: the original has the same match, in this text and in every longer one;
 * - a match that includes the mark: the original reached the end of the text. In a longer text, it may match from the
 *   same start on, but not before;
 * - no match: the original has no match that starts in this text.
 *
 * The other files of this folder support the search: `regexp-analysis.ts` computes properties of an expression from its
 * syntax, so that each character is examined only a few times; `backtracking-bound.ts` computes an upper bound of the
 * work of an expression; and `regexp-timeout.ts` limits the time of an expression with a high bound.
 */
import type { AST } from '@eslint-community/regexpp'
import { holdsStrings, looksBackOnly } from './regexp-analysis.ts'

/** The end mark. It can be any character, because it is recognized by its position at the end. */
export const END_MARK = '\n'

// The rewritten expression has no flag `m`, so `$` matches only at the end of the text.

/** Before the end mark, matches the mark; after it, matches the empty string; elsewhere, fails. */
const AT_END = '[^]?$'
/** After the end mark, matches the empty string; elsewhere, fails. */
const AFTER_MARK = '$'
const LINE_END = '[\\n\\r\\u2028\\u2029]'

/**
 * The rewritten expression, with the flag `g` so that the caller can set a start position. `undefined` for syntax that
 * cannot be rewritten: backreferences, strings in character classes, `(?m:…)`, repeated assertions, and lookbehinds
 * that contain assertions about later text or about lines.
 */
export function partialMatchOf(regexp: RegExp, tree: AST.Pattern): RegExp | undefined {
  try {
    return new RegExp(
      new Rewriting(regexp.multiline).alternatives(tree.alternatives),
      `${regexp.flags.replace(/[dgmy]/g, '')}g`,
    )
  } catch (error) {
    if (error instanceof NoPartialMatch) return undefined
    throw error
  }
}

class NoPartialMatch extends Error {}

class Rewriting {
  readonly #multiline: boolean

  constructor(multiline: boolean) {
    this.#multiline = multiline
  }

  alternatives(list: readonly AST.Alternative[]): string {
    return list.map(({ elements }) => elements.map((element) => this.#element(element)).join('')).join('|')
  }

  #element(element: AST.Element): string {
    switch (element.type) {
      case 'Character':
        return character(element.raw)
      case 'CharacterClass':
      case 'CharacterSet':
      case 'ExpressionCharacterClass':
        if (holdsStrings(element)) throw new NoPartialMatch()
        return character(element.raw)
      case 'Group':
        if (/m/.test(element.modifiers?.raw ?? '')) throw new NoPartialMatch()
        return `(?${element.modifiers?.raw ?? ''}:${this.alternatives(element.alternatives)})`
      case 'CapturingGroup':
        return `(?:${this.alternatives(element.alternatives)})`
      case 'Quantifier':
        return this.#quantifier(element)
      case 'Assertion':
        return this.#assertion(element)
      case 'Backreference':
        throw new NoPartialMatch()
    }
  }

  #quantifier({ element, min, max, greedy, raw }: AST.Quantifier): string {
    if (element.type === 'Assertion') throw new NoPartialMatch()
    const once = this.#element(element)
    const isCharacter = !['Group', 'CapturingGroup', 'Backreference'].includes(element.type)
    if (!isCharacter || max !== Infinity) return once + raw.slice(element.raw.length)
    // If each repeated character had the end mark as an alternative, the engine would keep one alternative per
    // character of a long text in memory. Therefore the mark is an alternative only after all repetitions. The order of
    // the matches stays the same.
    const atLeast = min === 0 ? '' : `${once}{${min}}`
    return greedy ? `${atLeast}${element.raw}*(?:${AT_END}|)` : `${atLeast}${element.raw}*?(?:|${AT_END})`
  }

  #assertion(element: AST.Assertion): string {
    switch (element.kind) {
      case 'start':
        return this.#multiline ? `(?:(?<=^|${LINE_END})|${AFTER_MARK})` : `(?:^|${AFTER_MARK})`
      case 'end':
        return this.#multiline ? `(?:${AT_END}|(?=${LINE_END}))` : `(?:${AT_END})`
      case 'word':
        return `(?:${AT_END}|${element.raw})`
      case 'lookbehind':
        if (!looksBackOnly(element.alternatives, this.#multiline)) throw new NoPartialMatch()
        return `(?:${AFTER_MARK}|${element.raw})`
      case 'lookahead': {
        // A lookahead does not consume the end mark. So if the lookahead reaches the mark, `[^]*` consumes text and
        // mark.
        const inner = this.alternatives(element.alternatives)
        return `(?:(?=(?:${inner})${AFTER_MARK})[^]*|(?${element.negate ? '!' : '='}${inner}))`
      }
    }
  }
}

/** The lookahead leaves the end mark to `AT_END`, so that there is only one way to match it. */
function character(raw: string): string {
  return `(?:${raw}(?=[^])|${AT_END})`
}
