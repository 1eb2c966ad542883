/** Builds QEMU option strings, `key=value,key=value`. Values are escaped, so that no value can add an option. */
import { OptionError } from '../../errors.ts'

/** Values of an option string. Undefined values are omitted, booleans become `on` and `off`. */
export type OptionValues = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * `optionString('socket', { id: 'a', path: 'x,y' })` → `socket,id=a,path=x,,y`. A comma in a value is doubled, as the
 * parser of QEMU requires (util/keyval.c, util/qemu-option.c).
 *
 * @param head value of the implied first key; undefined to start with a key
 * @throws OptionError `INVALID_OPTION` for a value with a NUL byte
 */
export function optionString(head: string | undefined, values: OptionValues = {}): string {
  const parts = head === undefined ? [] : [escapeValue(head)]
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue
    const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
    parts.push(`${key}=${escapeValue(text)}`)
  }
  return parts.join(',')
}

function escapeValue(value: string): string {
  if (value.includes('\0')) {
    throw new OptionError(
      'INVALID_OPTION',
      `A value with a NUL byte cannot be passed to QEMU: ${JSON.stringify(value)}`,
    )
  }
  return value.replaceAll(',', ',,')
}
