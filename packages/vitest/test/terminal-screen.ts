/** Renders the output of a program to the text on a terminal. Supports the escape sequences that test runners use. */

// Erase from the cursor; erase the line; up; to the left. Ignores colors, cursor visibility and update marks.
const SEQUENCE = /\u001B\[(?<count>\d*)(?<command>[A-Za-z])|\u001B\[[?\d;]*[A-Za-z]/y

/** The rows of the screen, without empty ones at the end. */
export function terminalScreen(output: string): readonly string[] {
  const rows: (string[] | undefined)[] = [[]]
  let [row, column] = [0, 0]
  for (let at = 0; at < output.length; at++) {
    SEQUENCE.lastIndex = at
    const sequence = SEQUENCE.exec(output)
    const cells = (rows[row] ??= [])
    const character = output[at] ?? ''
    if (sequence) {
      const count = Number(sequence.groups?.['count'] || 0)
      at += sequence[0].length - 1
      if (sequence.groups?.['command'] === 'K') cells.splice(count === 2 ? 0 : column)
      else if (sequence.groups?.['command'] === 'A') row = Math.max(0, row - Math.max(1, count))
      else if (sequence.groups?.['command'] === 'D') column = Math.max(0, column - Math.max(1, count))
    } else if (character === '\r') column = 0
    else if (character === '\n') row++
    else {
      while (cells.length < column) cells.push(' ')
      cells[column++] = character
    }
  }
  const lines = Array.from(rows, (cells = []) => cells.join('').trimEnd())
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1)
}
