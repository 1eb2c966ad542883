/**
 * Computes an upper bound of the work of a regular expression from its syntax, to decide whether it needs a time limit.
 */
import type { AST } from '@eslint-community/regexpp'

/** Most repetitions counted for an element that can match in several ways. */
const MOST_REPETITIONS = 16

/** The successor of an element: another element, the end of the expression, or unknown. */
type Next = AST.Element | 'end' | 'unknown'

/**
 * Upper bound of the alternatives at one position of a text of `length` characters; `Infinity` for exponential.
 *
 * In general, the number of possible ends of a repetition is its length, and for two consecutive repetitions the
 * product of both. If the repeated element cannot match the successor (`\w+@`, `\w+$`), or there is no successor, only
 * one of these ends counts.
 */
export function backtrackingBound(tree: AST.Pattern, flags: string, length: number): number {
  return new BacktrackingCounter(flags, length).ofAny(tree.alternatives, 'end')
}

class BacktrackingCounter {
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
    // A `$` is followed by the end or a line end.
    if (next.type === 'Assertion')
      return next.kind === 'end' && !['\n', '\r', '\u2028', '\u2029'].some((end) => set.test(end))
    const character = firstCharacter(next)
    return character !== undefined && !set.test(character)
  }
}

/** The first character of an element, if there is only one. */
function firstCharacter(element: AST.Element): string | undefined {
  if (element.type === 'Character') return String.fromCodePoint(element.value)
  return element.type === 'Quantifier' && element.min > 0 ? firstCharacter(element.element) : undefined
}

/** Product, with 0 times Infinity as 0. */
function times(left: number, right: number): number {
  return left === 0 || right === 0 ? 0 : left * right
}
