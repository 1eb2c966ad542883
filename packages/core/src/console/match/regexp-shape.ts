/**
 * What can be known of a regular expression before it is run: how far a match can reach, what it looks at besides the
 * matched text, and how many ways there are to try it. The search uses it to look at each character few times.
 */
import type { AST } from '@eslint-community/regexpp'
import { holdsStrings, isOpenEnded, looksBackOnly, mayBeEmpty } from './regexp-syntax.ts'
import { waysOf } from './regexp-work.ts'

/** Lengths in UTF-16 units. Every number errs on the high side. */
export interface RegExpShape {
  /** Characters that decide whether a match begins at a given place, those looked at ahead included. */
  readonly longest: number
  /** Whether one of these can be a line feed. */
  readonly crossesLines: boolean
  /** Characters looked at before the match. */
  readonly lookBehind: number
  /** Whether a match can have no characters. */
  readonly mayBeEmpty: boolean
  /** Whether a match at the end of the text could have become longer: `/\d+/`, but not `/\d+ ok/`. */
  readonly openEnded: boolean
  /** Upper bound of the ways to try it at one place of a text of `length` characters; `Infinity` for exponential. */
  ways(length: number): number
}

/** Nothing is known: syntax newer than the parser. */
export const UNKNOWN_SHAPE: RegExpShape = {
  longest: Infinity,
  crossesLines: true,
  lookBehind: Infinity,
  mayBeEmpty: true,
  openEnded: true,
  ways: () => Infinity,
}

/** Measures a parsed regular expression. */
export function shapeOf(regexp: RegExp, tree: AST.Pattern): RegExpShape {
  const flags = regexp.flags.replace(/[dgy]/g, '')
  const unitsOfOne = regexp.unicode || regexp.unicodeSets ? 2 : 1
  const measures = new Measures(flags, unitsOfOne)
  return {
    longest: measures.longest(tree.alternatives),
    crossesLines: measures.crossesLines(tree.alternatives),
    lookBehind: Math.max(1, measures.lookBehind(tree.alternatives)),
    mayBeEmpty: tree.alternatives.some(mayBeEmpty),
    openEnded: tree.alternatives.some(isOpenEnded),
    ways: (length) => waysOf(tree, flags, length),
  }
}

class Measures {
  readonly #flags: string
  readonly #unitsOfOne: number

  constructor(flags: string, unitsOfOne: number) {
    this.#flags = flags
    this.#unitsOfOne = unitsOfOne
  }

  longest(alternatives: readonly AST.Alternative[]): number {
    return Math.max(0, ...alternatives.map(({ elements }) => sum(elements.map((element) => this.#longestOf(element)))))
  }

  #longestOf(element: AST.Element): number {
    switch (element.type) {
      case 'Assertion':
        // `$`, `\b` and `\B` look at one character.
        if (element.kind === 'lookahead') return this.longest(element.alternatives)
        if (element.kind === 'lookbehind') return looksBackOnly(element.alternatives, true) ? 0 : Infinity
        return element.kind === 'end' || element.kind === 'word' ? 1 : 0
      case 'Quantifier':
        return element.max === 0 ? 0 : times(this.#longestOf(element.element), element.max)
      case 'Group':
      case 'CapturingGroup':
        return this.longest(element.alternatives)
      case 'Backreference':
        return Infinity
      case 'Character':
        return element.raw.length === 1 ? 1 : this.#unitsOfOne
      case 'CharacterClass':
      case 'CharacterSet':
      case 'ExpressionCharacterClass':
        return holdsStrings(element) ? Infinity : this.#unitsOfOne
    }
  }

  lookBehind(alternatives: readonly AST.Alternative[]): number {
    return Math.max(
      0,
      ...alternatives.flatMap(({ elements }) => elements.map((element) => this.#lookBehindOf(element))),
    )
  }

  #lookBehindOf(element: AST.Element): number {
    if (element.type === 'Quantifier') return this.#lookBehindOf(element.element)
    if (element.type === 'Group' || element.type === 'CapturingGroup') return this.lookBehind(element.alternatives)
    if (element.type !== 'Assertion') return 0
    if (element.kind === 'lookahead') return this.lookBehind(element.alternatives)
    if (element.kind === 'lookbehind')
      return 1 + this.longest(element.alternatives) + this.lookBehind(element.alternatives)
    return 1
  }

  crossesLines(alternatives: readonly AST.Alternative[]): boolean {
    return alternatives.some(({ elements }) => elements.some((element) => this.#crossesLinesAt(element)))
  }

  #crossesLinesAt(element: AST.Element): boolean {
    switch (element.type) {
      case 'Assertion':
        if (element.kind === 'lookbehind') return !looksBackOnly(element.alternatives, true)
        return element.kind === 'lookahead' && this.crossesLines(element.alternatives)
      case 'Quantifier':
        return this.#crossesLinesAt(element.element)
      case 'Group':
        return element.modifiers?.add?.dotAll === true || this.crossesLines(element.alternatives)
      case 'CapturingGroup':
        return this.crossesLines(element.alternatives)
      case 'Backreference':
        // It repeats a group, which is looked at by itself.
        return false
      case 'Character':
        return element.value === 0x0a
      case 'CharacterClass':
      case 'CharacterSet':
      case 'ExpressionCharacterClass':
        return holdsStrings(element) || new RegExp(element.raw, this.#flags).test('\n')
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Nothing, any number of times, is nothing. */
function times(left: number, right: number): number {
  return left === 0 || right === 0 ? 0 : left * right
}
