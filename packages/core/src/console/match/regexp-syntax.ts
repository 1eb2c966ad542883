/** The syntax tree of a regular expression, and questions to it that have a yes or no for an answer. */
import { type AST, RegExpParser, visitRegExpAST } from '@eslint-community/regexpp'

const parser = new RegExpParser({ ecmaVersion: 2025 })

/** The syntax tree, or `undefined` when the parser does not know the syntax. */
export function parseRegExp(regexp: RegExp): AST.Pattern | undefined {
  const { source, unicode, unicodeSets } = regexp
  try {
    return parser.parsePattern(source, 0, source.length, { unicode, unicodeSets })
  } catch {
    return undefined
  }
}

/** Whether a character class can match more than one character, as `v` allows: `[\q{ok|yes}]`, `\p{RGI_Emoji}`. */
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

/** Whether a lookbehind holds no assertion about what follows, and with `multiline` none about lines. */
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

/** Whether what it matches last could have been more. */
export function isOpenEnded({ elements }: AST.Alternative): boolean {
  const last = elements.findLast((element) => element.type !== 'Assertion' || element.kind === 'end')
  if (last === undefined || last.type === 'Assertion') return false
  if (last.type === 'Quantifier') return last.max > last.min
  if (last.type === 'Group' || last.type === 'CapturingGroup') return last.alternatives.some(isOpenEnded)
  return last.type === 'Backreference'
}

/** Whether it can match without a character, where what is around allows it: `/(?<=# )$/`. */
export function mayBeEmpty({ elements }: AST.Alternative): boolean {
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
