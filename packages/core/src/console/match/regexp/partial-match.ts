/**
 * Rewrites a regular expression so that it tells a final match from one that further output could still change.
 *
 * `RegExp.exec` on a growing text returns a match without telling whether it looked at the end of the text to find it.
 * Only a match that did not look there stays the same however the text continues. So the source is rewritten: one
 * character, the *end mark*, is appended to the text, and wherever the original would look at the next character, the
 * rewritten expression may take the end mark instead; after the mark everything succeeds. It tries the same alternatives
 * in the same order as the original. Its first match is therefore one of these:
 *
 * - a match that ends before the mark: the match of the original, on this text and on every longer one;
 * - a match that includes the mark: the original reached the end of the text; a match may begin here, none before;
 * - no match: no match begins in this text.
 *
 * The other files of this folder support the search: `regexp-analysis.ts` measures an expression from its syntax, so that
 * each character is looked at few times; `backtracking-bound.ts` bounds the work an expression can cause; and
 * `regexp-timeout.ts` ends an expression whose bound is high when it takes too long.
 */
import type { AST } from '@eslint-community/regexpp'
import { holdsStrings, looksBackOnly } from './regexp-analysis.ts'

/** The end mark. Any character would do: it is recognised by its position. */
export const END_MARK = '\n'

/** Takes the end mark; takes nothing after it; fails elsewhere. The result has no flag `m`, so that `$` is the end. */
const AT_END = '[^]?$'
const BEHIND_MARK = '$'
const LINE_END = '[\\n\\r\\u2028\\u2029]'

/**
 * The rewritten expression, with the flag `g` so that a start position can be given; `undefined` for syntax that cannot
 * be rewritten: backreferences, strings in character classes, `(?m:…)`, and inside a lookbehind assertions about
 * what follows or about lines.
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
    // A way not tried yet for each character would need much memory on a long text: the end is looked for once instead,
    // at the places and in the order in which the original comes to it.
    const atLeast = min === 0 ? '' : `${once}{${min}}`
    return greedy ? `${atLeast}${element.raw}*(?:${AT_END}|)` : `${atLeast}${element.raw}*?(?:|${AT_END})`
  }

  #assertion(element: AST.Assertion): string {
    switch (element.kind) {
      case 'start':
        return this.#multiline ? `(?:(?<=^|${LINE_END})|${BEHIND_MARK})` : `(?:^|${BEHIND_MARK})`
      case 'end':
        return this.#multiline ? `(?:${AT_END}|(?=${LINE_END}))` : `(?:${AT_END})`
      case 'word':
        return `(?:${AT_END}|${element.raw})`
      case 'lookbehind':
        if (!looksBackOnly(element.alternatives, this.#multiline)) throw new NoPartialMatch()
        return `(?:${BEHIND_MARK}|${element.raw})`
      case 'lookahead': {
        // A lookahead gives back what it takes, the end mark too. Where it could take the mark, the rest of the text is taken.
        const inner = this.alternatives(element.alternatives)
        return `(?:(?=(?:${inner})${BEHIND_MARK})[^]*|(?${element.negate ? '!' : '='}${inner}))`
      }
    }
  }
}

function character(raw: string): string {
  return `(?:${raw}(?=[^])|${AT_END})`
}
