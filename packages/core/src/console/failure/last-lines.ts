/** Formats the last lines of a console for messages. */

/** Most lines of the console in an error, and most characters of a line. */
const LINES = 20
const WIDTH = 160

/** Most characters of the end of a text that an error can need. */
export const TAIL_CHARACTERS = 16_384

/** The last lines of a text, limited in number and width, with control characters escaped. */
export function lastLines(text: string, lines: number = LINES): string {
  const all = text.slice(-TAIL_CHARACTERS).trimEnd().split('\n').slice(-lines)
  return all.map((line) => printable(line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line)).join('\n')
}

/** Escapes the control characters of a line. */
export function printable(line: string): string {
  return line.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    const code = character.charCodeAt(0)
    return code === 0x0d ? '\\r' : `\\x${code.toString(16).padStart(2, '0')}`
  })
}
