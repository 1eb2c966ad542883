/**
 * Analyzes the syntax of a regular expression: the longest match, the amount of text that is examined before a match,
 * and the amount of work.
 */
import { type AST, RegExpParser, visitRegExpAST } from '@eslint-community/regexpp'
import { backtrackingBound } from './backtracking-bound.ts'

/** Lengths in UTF-16 units. All numbers are upper bounds. */
export interface RegExpAnalysis {
  /** Number of characters from a position on that decide whether a match starts there, including lookaheads. */
  readonly longest: number
  /** Whether one of these characters can be a line feed. */
  readonly crossesLines: boolean
  /** Number of characters before a match that are examined. */
  readonly lookBehind: number
  /** Whether a match can be empty. */
  readonly mayBeEmpty: boolean
  /** Whether a match at the end of the text could have become longer: `/\d+/`, but not `/\d+ ok/`. */
  readonly openEnded: boolean
  /** Literal start of every match; empty if unknown. */
  readonly prefix: string
  /**
   * Literal that follows `prefix` after a gap of any text, as in `/prefix[^]*?rest/`; empty for other expressions.
   */
  readonly rest: string
  /** Literals that each match contains, in this order and without overlap. */
  readonly literals: readonly string[]
  /**
   * Upper bound of the alternatives tried at one position of a text of `length` characters; `Infinity` for exponential.
   */
  backtracking(length: number): number
}

/** Result for syntax that the parser does not support. */
export const UNKNOWN_ANALYSIS: RegExpAnalysis = {
  longest: Infinity,
  crossesLines: true,
  lookBehind: Infinity,
  mayBeEmpty: true,
  openEnded: true,
  prefix: '',
  rest: '',
  literals: [],
  backtracking: () => Infinity,
}

/** Analyzes a parsed regular expression. */
export function analyzeRegExp(regexp: RegExp, tree: AST.Pattern): RegExpAnalysis {
  const flags = regexp.flags.replace(/[dgy]/g, '')
  const unitsOfOne = regexp.unicode || regexp.unicodeSets ? 2 : 1
  const measures = new Measures(flags, unitsOfOne)
  return {
    longest: measures.longest(tree.alternatives),
    crossesLines: measures.crossesLines(tree.alternatives),
    lookBehind: Math.max(1, measures.lookBehind(tree.alternatives)),
    mayBeEmpty: tree.alternatives.some(mayBeEmpty),
    openEnded: tree.alternatives.some(isOpenEnded),
    ...startOf(regexp, tree),
    literals: literalsOf(regexp, tree),
    backtracking: (length) => backtrackingBound(tree, flags, length),
  }
}

/** @returns the literal start of the expression, and the literal after a gap of any text, if it has this form */
function startOf({ ignoreCase, dotAll }: RegExp, tree: AST.Pattern): Pick<RegExpAnalysis, 'prefix' | 'rest'> {
  const [{ elements } = { elements: [] }, ...others] = tree.alternatives
  const prefix = others.length > 0 || ignoreCase ? '' : literalAt(elements, 0)
  if (prefix === '') return { prefix, rest: '' }
  const gap = elements[prefix.length]
  return { prefix, rest: isAnyText(gap, dotAll) ? literalAt(elements, prefix.length + 1) : '' }
}

function literalsOf({ ignoreCase }: RegExp, tree: AST.Pattern): readonly string[] {
  const [first, ...others] = tree.alternatives
  if (first === undefined || others.length > 0 || ignoreCase) return []
  const elements = first.elements.flatMap(withoutGroup)
  const literals: string[] = []
  for (let index = 0; index < elements.length; index++) {
    const literal = literalAt(elements, index)
    if (literal === '') continue
    literals.push(literal)
    index += literal.length
  }
  return literals
}

/** The elements of a group that has one alternative; other elements as they are. */
function withoutGroup(element: AST.Element): readonly AST.Element[] {
  if (element.type !== 'Group' && element.type !== 'CapturingGroup') return [element]
  const [only, ...others] = element.alternatives
  const hasModifiers = element.type === 'Group' && element.modifiers !== null
  return only === undefined || others.length > 0 || hasModifiers ? [element] : only.elements.flatMap(withoutGroup)
}

/** The literal characters from an index on, up to the first other element or surrogate. */
function literalAt(elements: readonly AST.Element[], from: number): string {
  const end = elements.findIndex(
    (element, index) =>
      index >= from && !(element.type === 'Character' && element.value < 0x1_00_00 && !isSurrogate(element.value)),
  )
  const characters = elements.slice(from, end < 0 ? undefined : end)
  return characters.map((element) => (element.type === 'Character' ? String.fromCharCode(element.value) : '')).join('')
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd8_00 && unit <= 0xdf_ff
}

/** Whether an element matches any text: `[^]*`, `[\s\S]*`, `.*` with the flag `s`, greedy or not. */
function isAnyText(element: AST.Element | undefined, dotAll: boolean): boolean {
  if (element?.type !== 'Quantifier' || element.min > 0 || element.max !== Infinity) return false
  const { element: one } = element
  if (one.type === 'CharacterSet') return one.kind === 'any' && dotAll
  return one.type === 'CharacterClass' && ['[^]', '[\\s\\S]', '[\\S\\s]'].includes(one.raw)
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
        // `$`, `\b` and `\B` examine one character.
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
        // A repeated group is analyzed separately.
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

/** Product, with 0 times Infinity as 0. */
function times(left: number, right: number): number {
  return left === 0 || right === 0 ? 0 : left * right
}

const parser = new RegExpParser({ ecmaVersion: 2025 })

/** The syntax tree; `undefined` if the parser does not support the syntax. */
export function parseRegExp(regexp: RegExp): AST.Pattern | undefined {
  const { source, unicode, unicodeSets } = regexp
  try {
    return parser.parsePattern(source, 0, source.length, { unicode, unicodeSets })
  } catch {
    return undefined
  }
}

/** Whether a class can match several characters, which the flag `v` allows: `[\q{ok|yes}]`, `\p{RGI_Emoji}`. */
export function holdsStrings(element: AST.CharacterClass | AST.CharacterSet | AST.ExpressionCharacterClass): boolean {
  let found = false
  visitRegExpAST(element, {
    onClassStringDisjunctionEnter: () => {
      found = true
    },
    onCharacterSetEnter: (set) => {
      if (set.kind === 'property' && set.strings) found = true
    },
  })
  return found
}

/** Whether a lookbehind contains no assertion about later text, and with `multiline` no assertion about lines. */
export function looksBackOnly(alternatives: readonly AST.Alternative[], multiline: boolean): boolean {
  return alternatives.every(({ elements }) => elements.every((element) => looksBack(element, multiline)))
}

function looksBack(element: AST.Element, multiline: boolean): boolean {
  switch (element.type) {
    case 'Quantifier':
      return looksBack(element.element, multiline)
    case 'Group':
    case 'CapturingGroup':
      return looksBackOnly(element.alternatives, multiline)
    case 'Assertion':
      if (element.kind === 'lookbehind') return looksBackOnly(element.alternatives, multiline)
      return element.kind === 'start' && !multiline
    case 'Backreference':
      return false
    case 'Character':
    case 'CharacterClass':
    case 'CharacterSet':
    case 'ExpressionCharacterClass':
      return true
  }
}

/** Whether the last element could have matched more. */
function isOpenEnded({ elements }: AST.Alternative): boolean {
  const last = elements.findLast((element) => element.type !== 'Assertion' || element.kind === 'end')
  if (last === undefined || last.type === 'Assertion') return false
  if (last.type === 'Quantifier') return last.max > last.min
  if (last.type === 'Group' || last.type === 'CapturingGroup') return last.alternatives.some(isOpenEnded)
  return last.type === 'Backreference'
}

/** Whether an alternative can match the empty string in some context, such as `/(?<=# )$/`. */
function mayBeEmpty({ elements }: AST.Alternative): boolean {
  return elements.every((element) => {
    switch (element.type) {
      case 'Assertion':
      case 'Backreference':
        return true
      case 'Quantifier':
        return element.min === 0 || mayBeEmpty({ ...element.parent, elements: [element.element] })
      case 'Group':
      case 'CapturingGroup':
        return element.alternatives.some(mayBeEmpty)
      case 'Character':
        return false
      case 'CharacterClass':
      case 'CharacterSet':
      case 'ExpressionCharacterClass':
        return holdsStrings(element)
    }
  })
}
