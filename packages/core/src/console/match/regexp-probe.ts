/**
 * A regular expression that tells a match which further output cannot change from one which it could.
 *
 * `RegExp.exec` on a text that is still growing says what it found, not whether it looked at the end of the text to find
 * it; and only if it did not is the result the same however the text goes on. So the source is rewritten: one character,
 * the *end mark*, is put behind the text, and wherever the original would look at the next character, the probe may take
 * the end mark instead; behind the mark everything succeeds. The probe tries the same ways in the same order as the
 * original. Therefore the first of these comes out:
 *
 * - a match that ends before the mark: the original's match, on this text and on every longer one;
 * - a match that includes the mark: the original came to the end of the text; a match may begin here, none before;
 * - nothing: no match begins in this text.
 */
import type { AST } from '@eslint-community/regexpp'
import { holdsStrings, looksBackOnly } from './regexp-syntax.ts'

/** What is put behind the text. Any character would do: the probe knows it by its place. */
export const END_MARK = '\n'

/** At the end mark: takes it. Behind it: takes nothing. Anywhere else: fails. The probe has no flag `m`: `$` is the end. */
const AT_END = '[^]?$'
const BEHIND_MARK = '$'
const LINE_END = '[\\n\\r\\u2028\\u2029]'

/**
 * The probe of a regular expression, with the flag `g` so that a place to start can be given; `undefined` for syntax that
 * cannot be rewritten: backreferences, strings in character classes, `(?m:…)`, and inside a lookbehind assertions about
 * what follows or about lines.
 */
export function probeOf(regexp: RegExp, tree: AST.Pattern): RegExp | undefined {
  try {
    return new RegExp(
      new Rewriting(regexp.multiline).alternatives(tree.alternatives),
      `${regexp.flags.replace(/[dgmy]/g, '')}g`,
    )
  } catch (error) {
    if (error instanceof NoProbe) return undefined
    throw error
  }
}

class NoProbe extends Error {}

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
        if (holdsStrings(element)) throw new NoProbe()
        return character(element.raw)
      case 'Group':
        if (/m/.test(element.modifiers?.raw ?? '')) throw new NoProbe()
        return `(?${element.modifiers?.raw ?? ''}:${this.alternatives(element.alternatives)})`
      case 'CapturingGroup':
        return `(?:${this.alternatives(element.alternatives)})`
      case 'Quantifier':
        return this.#quantifier(element)
      case 'Assertion':
        return this.#assertion(element)
      case 'Backreference':
        throw new NoProbe()
    }
  }

  #quantifier({ element, min, max, greedy, raw }: AST.Quantifier): string {
    if (element.type === 'Assertion') throw new NoProbe()
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
        if (!looksBackOnly(element.alternatives, this.#multiline)) throw new NoProbe()
        return `(?:${BEHIND_MARK}|${element.raw})`
      case 'lookahead': {
        // What a lookahead takes is given back, the end mark too: where it can be taken, the probe goes there by itself.
        const inner = this.alternatives(element.alternatives)
        return `(?:(?=(?:${inner})${BEHIND_MARK})[^]*|(?${element.negate ? '!' : '='}${inner}))`
      }
    }
  }
}

function character(raw: string): string {
  return `(?:${raw}(?=[^])|${AT_END})`
}
