/** Volume labels: eleven bytes in the boot sector and in an entry of the root directory. */
import { MkfatfsError } from '../errors.ts'

const LABEL_LENGTH = 11
/** Forbidden characters, and all characters outside of printable ASCII. Source: Microsoft's FAT specification. */
const FORBIDDEN = /[^\x20-\x7e]|["*+,./:;<=>?[\\\]|]/

/** Checks a label, and returns its stored form in upper case. @throws MkfatfsError `INVALID_OPTION` */
export function checkLabel(label: string): string {
  const reason =
    typeof label !== 'string' || label.trim() === ''
      ? 'it is empty'
      : label.length > LABEL_LENGTH
        ? `it has ${label.length} characters`
        : /^ | $/.test(label)
          ? 'it begins or ends with a blank'
          : FORBIDDEN.test(label)
            ? `it has ${JSON.stringify(FORBIDDEN.exec(label)?.[0])}`
            : undefined
  if (reason === undefined) return label.toUpperCase()
  throw new MkfatfsError('INVALID_OPTION', `\`label\` is ${JSON.stringify(label)}: ${reason}.`, {
    hint: 'A label has 1 to 11 characters of printable ASCII, none of them " * + , . / : ; < = > ? [ \\ ] |',
  })
}

/** Pads a label to eleven characters. */
export function padLabel(label: string): string {
  return label.padEnd(LABEL_LENGTH)
}
