/**
 * The row of a terminal that the cursor is in, for output that goes back and writes over what is there: a countdown, a
 * line editor.
 *
 * Text that was printed cannot be taken back. So a row that changes is printed anew after a `\r`, up to the change, as
 * programs do it that redraw a line themselves; what is written over with the same characters is not printed again.
 */

/** Rows longer than this are not kept: backspaces in them have no effect. */
const LONGEST_ROW = 4096

/** One row. Cheap to clone. */
export class TerminalRow {
  /** What a person sees in the row. */
  #seen = ''
  /** Of it, characters before the cursor. */
  #column = 0
  /** Of it, characters that the text has. */
  #printed = 0
  /** Whether the text has more than is seen, because the end of the row was erased. */
  #isErased = false

  clone(): TerminalRow {
    const copy = new TerminalRow()
    copy.#seen = this.#seen
    copy.#column = this.#column
    copy.#printed = this.#printed
    copy.#isErased = this.#isErased
    return copy
  }

  /** The cursor goes one character to the left. */
  back(): void {
    this.#column = Math.max(0, this.#column - 1)
  }

  /** The row is erased from the cursor on. */
  erase(): void {
    if (this.#column === this.#seen.length) return
    this.#seen = this.#seen.slice(0, this.#column)
    this.#isErased ||= this.#printed > this.#column
    this.#printed = Math.min(this.#printed, this.#column)
  }

  /**
   * What `run` adds to the text.
   * @param run without control characters but tabs and line feeds
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

  /** What of the row is still to be printed. The cursor is at the start of a row after it. */
  end(): string {
    const rest = this.#isErased && this.#seen !== '' ? `\r${this.#seen}` : this.#seen.slice(this.#printed)
    this.#seen = ''
    this.#column = 0
    this.#printed = 0
    this.#isErased = false
    return rest
  }

  /** Whether the cursor is behind all that is seen and printed. */
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
