/** Takes out of a console's output what the kernel printed in between. */
import { KERNEL_STAMP } from '../../console/text/kernel-line.ts'

/** The kernel prints a message as a whole, between any two bytes of a program's output, and with a line end. */
const MESSAGE = new RegExp(`${KERNEL_STAMP.source}[^\\n]*\\n`, 'g')

/** @param text with the line ends of a terminal, or plain ones */
export function withoutKernelMessages(text: string): string {
  return text.replace(MESSAGE, '')
}

/**
 * Takes foreign text out of encoded lines of one length each: what is not of the alphabet, to the end of its line, and as
 * many characters before it as make the line too long.
 *
 * @param foreign matches a character that the encoding does not use
 * @param width of a whole line
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
