/** How much work a regular expression may be: an upper bound from its syntax, to tell which need a guard. */
import type { AST } from '@eslint-community/regexpp'

/** Repetitions of something that can be matched in several ways are counted up to here. */
const MOST_REPETITIONS = 16

/** What comes behind an element: another one, the end of the expression, or something that is not known here. */
type Next = AST.Element | 'end' | 'unknown'

/**
 * Upper bound of the ways to match at one place, of a text of `length` characters; `Infinity` for exponential.
 *
 * A repetition can in general end in as many places as it is long, and two of them behind each other in the product of
 * both. Not so when what follows is none of what is repeated (`\w+@`, `\w+$`), or nothing: then only one of these ends matters.
 */
export function backtrackingBound(tree: AST.Pattern, flags: string, length: number): number {
  return new Ways(flags, length).ofAny(tree.alternatives, 'end')
}

class Ways {
  readonly #flags: string
  readonly #length: number

  constructor(flags: string, length: number) {
    this.#flags = flags
    this.#length = length
  }

  ofAny(alternatives: readonly AST.Alternative[], next: Next): number {
    return alternatives.reduce((sum, { elements }) => sum + this.#ofSequence(elements, next), 0)
  }

  #ofSequence(elements: readonly AST.Element[], next: Next): number {
    return elements.reduce((ways, element, index) => times(ways, this.#of(element, elements[index + 1] ?? next)), 1)
  }

  #of(element: AST.Element, next: Next): number {
    switch (element.type) {
      case 'Quantifier':
        return this.#ofRepetition(element, next)
      case 'Group':
      case 'CapturingGroup':
        return this.ofAny(element.alternatives, next)
      case 'Assertion':
        return element.kind === 'lookahead' || element.kind === 'lookbehind'
          ? this.ofAny(element.alternatives, 'unknown')
          : 1
      case 'Backreference':
      case 'Character':
      case 'CharacterClass':
      case 'CharacterSet':
      case 'ExpressionCharacterClass':
        return 1
    }
  }

  #ofRepetition({ min, max, element }: AST.Quantifier, next: Next): number {
    const each = this.#of(element, 'unknown')
    if (each === 1) return this.#endsOnce(element, next) ? 1 : Math.min(max - min, this.#length) + 1
    if (max > MOST_REPETITIONS) return Infinity
    let ways = 0
    for (let count = min; count <= max; count++) ways += each ** count
    return ways
  }

  #endsOnce(element: AST.QuantifiableElement, next: Next): boolean {
    if (next === 'end') return true
    if (next === 'unknown' || !element.type.startsWith('Character')) return false
    const set = new RegExp(`^(?:${element.raw})$`, this.#flags.replace('m', ''))
    // Before a `$` there is the end or a line end.
    if (next.type === 'Assertion')
      return next.kind === 'end' && !['\n', '\r', '\u2028', '\u2029'].some((end) => set.test(end))
    const character = firstCharacter(next)
    return character !== undefined && !set.test(character)
  }
}

/** The character that an element begins with, if there is only one. */
function firstCharacter(element: AST.Element): string | undefined {
  if (element.type === 'Character') return String.fromCodePoint(element.value)
  return element.type === 'Quantifier' && element.min > 0 ? firstCharacter(element.element) : undefined
}

/** Nothing, any number of times, is nothing. */
function times(left: number, right: number): number {
  return left === 0 || right === 0 ? 0 : left * right
}
