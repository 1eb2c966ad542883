/** Removes kernel messages from console output. */
import { KERNEL_STAMP } from '../../console/text/kernel-line.ts'

/** A complete kernel message with its line end. The kernel may print one between any two bytes of other output. */
const MESSAGE = new RegExp(`${KERNEL_STAMP.source}[^\\n]*\\n`, 'g')

/** Removes kernel messages from a text. @param text output with line ends `\r\n` or `\n` */
export function withoutKernelMessages(text: string): string {
  return text.replace(MESSAGE, '')
}

/**
 * Removes other console output from encoded lines of fixed width: from the first character outside the alphabet to the
 * end of the line, and the characters before it that exceed the width.
 *
 * @param foreign matches a character outside the alphabet of the encoding
 * @param width length of a complete line
 */
export function withoutForeignText(text: string, foreign: RegExp, width: number): string {
  if (text.replaceAll('\n', '').search(foreign) < 0) return text
  const lines: string[] = []
  let begun = ''
  for (const line of text.split('\n')) {
    const at = line.search(foreign)
    if (at < 0) {
      const excess = begun === '' ? 0 : Math.max(0, begun.length + line.length - width)
      lines.push(begun.slice(0, begun.length - excess) + line)
      begun = ''
    } else {
      begun += line.slice(0, at)
    }
  }
  return [...lines, ...(begun === '' ? [] : [begun])].join('\n')
}
