/**
 * Models the terminal row of the cursor, for output that moves back and overwrites text, such as a countdown or a line
 * editor.
 *
 * Text of a view cannot be removed. Therefore a row that changes is printed again after a `\r`, up to the change, as
 * programs redraw a line. Characters that are overwritten with equal characters are not printed again.
 */

/** Longest row in memory, characters. In a longer row, backspaces have no effect. */
const LONGEST_ROW = 4096

/** One row. Cheap to clone. */
export class TerminalRow {
  /** The visible text of the row. */
  #seen = ''
  /** Number of characters before the cursor. */
  #column = 0
  /** Number of characters that were printed to the view. */
  #printed = 0
  /** Whether the view contains text that is no longer visible, because the end of the row was erased. */
  #isErased = false

  clone(): TerminalRow {
    const copy = new TerminalRow()
    copy.#seen = this.#seen
    copy.#column = this.#column
    copy.#printed = this.#printed
    copy.#isErased = this.#isErased
    return copy
  }

  /** Moves the cursor one character to the left. */
  back(): void {
    this.#column = Math.max(0, this.#column - 1)
  }

  /** Erases the row from the cursor to its end. */
  erase(): void {
    if (this.#column === this.#seen.length) return
    this.#seen = this.#seen.slice(0, this.#column)
    this.#isErased ||= this.#printed > this.#column
    this.#printed = Math.min(this.#printed, this.#column)
  }

  /**
   * Prints `run`, and returns the text to add to the view.
   * @param run text without control characters other than tabs and line feeds
   */
  print(run: string): string {
    let text = ''
    for (let at = 0; at < run.length; at++) {
      if (this.#isPlain) return text + this.#append(at === 0 ? run : run.slice(at))
      const character = run[at] ?? ''
      text += character === '\n' ? `${this.end()}\n` : this.#write(character)
    }
    return text
  }

  /** Returns the rest of the row and moves the cursor to the start of a new row. */
  end(): string {
    const rest = this.#isErased && this.#seen !== '' ? `\r${this.#seen}` : this.#seen.slice(this.#printed)
    this.#seen = ''
    this.#column = 0
    this.#printed = 0
    this.#isErased = false
    return rest
  }

  /** Whether the cursor is at the end of the visible and printed text. */
  get #isPlain(): boolean {
    return this.#column === this.#seen.length && this.#printed === this.#column && !this.#isErased
  }

  #append(run: string): string {
    const start = run.lastIndexOf('\n') + 1
    const row = start === 0 ? this.#seen + run : run.slice(start)
    this.#seen = row.length > LONGEST_ROW ? '' : row
    this.#column = this.#printed = this.#seen.length
    return run
  }

  #write(character: string): string {
    const at = this.#column++
    const isSame = this.#seen[at] === character
    if (isSame && at < this.#printed && !this.#isErased) return ''
    this.#seen = this.#seen.slice(0, at) + character + this.#seen.slice(at + 1)
    const goesOn = at === this.#printed && !this.#isErased
    this.#printed = at + 1
    this.#isErased = false
    return goesOn ? character : `\r${this.#seen.slice(0, at + 1)}`
  }
}
