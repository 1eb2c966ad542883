/** Options by their names: one that is misspelt is not to be left out in silence. */
import { OptionError } from '@coldboot/core'
import { formatValue } from './format-call.ts'

/** @throws OptionError `UNKNOWN_OPTION`; `INVALID_OPTION` for what is no options */
export function checkOptionNames(matcher: string, options: unknown, known: readonly string[]): void {
  const hint = `It has ${known.map((name) => `\`${name}\``).join(', ')}.`
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OptionError('INVALID_OPTION', `${matcher} takes options, and was given ${formatValue(options)}`, { hint })
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new OptionError('UNKNOWN_OPTION', `${matcher} has no option \`${unknown}\``, { hint })
}
