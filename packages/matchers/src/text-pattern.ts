/** Compares text with a string or a regular expression. */
import { types } from 'node:util'
import { OptionError } from '@coldboot/core'
import { formatValue } from './format-call.ts'

/** A string, or a regular expression whose flags `g` and `y` are ignored. */
export type Text = string | RegExp

/** Whether the text contains a match. */
export function matchesText(expected: Text, text: string): boolean {
  return typeof expected === 'string' ? text.includes(expected) : stateless(expected).test(text)
}

/** Offset of the first match; -1 without one. */
export function placeOf(expected: Text, text: string): number {
  return typeof expected === 'string' ? text.indexOf(expected) : text.search(stateless(expected))
}

/** Whether the text equals the string, ignoring a final newline, or contains a match of the regular expression. */
export function equalsText(expected: Text, text: string): boolean {
  if (typeof expected !== 'string') return matchesText(expected, text)
  return withoutLineEnd(expected) === withoutLineEnd(text)
}

/** Removes a final newline. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}

/** Whether the value is a string or a regular expression. */
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
