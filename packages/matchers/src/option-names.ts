/** Rejects unknown options of a matcher, such as misspelled ones. */
import { OptionError } from '@coldboot/core'
import { didYouMean } from '@coldboot/core/internal'
import { formatValue } from './format-call.ts'

/** @throws OptionError `UNKNOWN_OPTION`; `INVALID_OPTION` if `options` is not an object */
export function checkOptionNames(matcher: string, options: unknown, known: readonly string[]): void {
  const hint = `Its options are ${known.map((name) => `\`${name}\``).join(', ')}.`
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OptionError('INVALID_OPTION', `${matcher} takes an object of options, but got ${formatValue(options)}`, {
      hint,
    })
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new OptionError('UNKNOWN_OPTION', `${matcher} has no option \`${unknown}\`${didYouMean(unknown, known)}`, {
    hint,
  })
}
