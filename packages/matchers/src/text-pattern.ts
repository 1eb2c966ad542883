/** What a text is compared with: a string or a regular expression. */
import { types } from 'node:util'
import { OptionError } from '@coldboot/core'
import { formatValue } from './format-call.ts'

/** A string, or a regular expression, of which the flags `g` and `y` are ignored. */
export type Text = string | RegExp

/** Whether the text has it. */
export function matchesText(expected: Text, text: string): boolean {
  return typeof expected === 'string' ? text.includes(expected) : stateless(expected).test(text)
}

/** Where it stands in the text first; -1: nowhere. */
export function placeOf(expected: Text, text: string): number {
  return typeof expected === 'string' ? text.indexOf(expected) : text.search(stateless(expected))
}

/** Whether the text is it, a last line end aside; a regular expression need match only some of it. */
export function equalsText(expected: Text, text: string): boolean {
  if (typeof expected !== 'string') return matchesText(expected, text)
  return withoutLineEnd(expected) === withoutLineEnd(text)
}

/** The text without its last line end. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}

/** Whether it is one. */
export function isText(value: unknown): value is Text {
  return typeof value === 'string' || types.isRegExp(value)
}

/** @throws OptionError `INVALID_OPTION` */
export function checkText(matcher: string, option: string, value: unknown): void {
  if (value === undefined || isText(value)) return
  throw new OptionError(
    'INVALID_OPTION',
    `${matcher}: \`${option}\` must be a string or a regular expression, and is ${formatValue(value)}`,
  )
}

function stateless(expression: RegExp): RegExp {
  return new RegExp(expression.source, expression.flags.replace(/[gy]/g, ''))
}
