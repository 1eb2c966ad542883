/**
 * Clean text: the output without escape sequences and with `\n` as the only line end.
 *
 * A state machine based on ECMA-48 and the parser of the DEC VT500 series. The result does not depend on the chunks of
 * the input, and it never contains a part of an escape sequence.
 */

import { TerminalRow } from './terminal-row.ts'

/**
 * Converts the stream to the text of a view. Must be cheap to clone, because the console replays pieces of the stream.
 */
export interface Projection {
  /** Adds characters of the stream and returns the new text. Some text may be held back until a later call. */
  push(raw: string): string
  /** Returns the text that is still held back, at the end of the stream. */
  end(): string
  clone(): Projection
}

/** The unchanged characters, for `{ view: 'raw' }`. */
export const AS_SENT: Projection = Object.freeze({ push: (raw: string) => raw, end: () => '', clone: () => AS_SENT })

/** Longest sequence, characters, so that an unterminated sequence does not hide the rest of the output. */
const LONGEST_CONTROL = 256
const LONGEST_STRING = 4096
/** Most consecutive carriage returns that are removed before a line feed. */
const MOST_RETURNS = 1024

const TEXT = 0
const ESCAPE = 1
const INTERMEDIATE = 2
const CONTROL = 3
/** State after `ESC ]`. The next character identifies commands of the Linux console, which have no terminator. */
const COMMAND_START = 4
const COMMAND = 5
const STRING = 6
const STRING_ESCAPE = 7
const PALETTE = 8
type State = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

const SPECIAL = /[\0-\x08\r\x0e-\x1f\x7f-\x9f]/g

/**
 * Removes escape sequences and control characters. Applies backspaces, see {@link TerminalRow}. Replaces `\n` with any
 * number of `\r` before it by `\n`, and keeps a lone `\r`.
 */
export class CleanText implements Projection {
  #state: State = TEXT
  /** Number of characters of the sequence so far. */
  #length = 0
  /** Number of carriage returns that may still be followed by a line feed. */
  #returns = 0
  #row = new TerminalRow()

  push(raw: string): string {
    let text = ''
    let at = 0
    while (at < raw.length) {
      if (this.#state === TEXT) {
        SPECIAL.lastIndex = at
        const stop = SPECIAL.test(raw) ? SPECIAL.lastIndex - 1 : raw.length
        if (stop > at) text += this.#print(raw.slice(at, stop))
        at = stop
        if (at === raw.length) break
      }
      text += this.#step(raw.charCodeAt(at), raw[at] ?? '')
      at++
    }
    return text
  }

  end(): string {
    return this.#print('') + this.#row.end()
  }

  clone(): CleanText {
    const copy = new CleanText()
    copy.#state = this.#state
    copy.#length = this.#length
    copy.#returns = this.#returns
    copy.#row = this.#row.clone()
    return copy
  }

  #print(run: string): string {
    const returns = this.#returns
    if (returns === 0) return this.#row.print(run)
    this.#returns = 0
    return run.startsWith('\n') ? this.#row.print(run) : this.#row.end() + '\r'.repeat(returns) + this.#row.print(run)
  }

  #step(code: number, character: string): string {
    if (this.#state === TEXT) return isStart(code) ? this.#begin(code) : this.#control(code, character)
    if (code === 0x18 || code === 0x1a) return this.#become(TEXT)
    if (this.#state === COMMAND_START) return this.#command(code)
    if (this.#state === COMMAND || this.#state === STRING) return this.#inString(code)
    if (this.#state === PALETTE) return this.#palette(code, character)
    if (this.#state === STRING_ESCAPE) {
      // ESC \ ends the string. ESC and any other character ends it too, and starts a new sequence.
      this.#become(ESCAPE)
      if (code === 0x5c) return this.#become(TEXT)
    }
    if (isStart(code)) return this.#begin(code)
    // A control character inside a sequence is executed, and the sequence continues, as on a terminal.
    if (code < 0x20 || code === 0x7f) return this.#control(code, character)
    if (code > 0x7f) return this.#become(TEXT) + this.#print(character)
    return this.#inSequence(code)
  }

  #control(code: number, character: string): string {
    if (code === 0x0d) return this.#return()
    // After a carriage return, the cursor cannot move further left.
    if (code === 0x08 && this.#returns === 0) this.#row.back()
    return code >= 0x09 && code <= 0x0c ? this.#print(character) : ''
  }

  #return(): string {
    if (this.#returns === MOST_RETURNS) return '\r'
    this.#returns++
    return ''
  }

  /** Handles ESC, or a C1 control character (U+0080 to U+009F), which means ESC and a letter. */
  #begin(code: number): string {
    if (code === 0x1b) return this.#become(ESCAPE)
    return this.#escape(code - 0x40)
  }

  /** Handles the character after ESC. */
  #escape(code: number): string {
    if (code >= 0x20 && code <= 0x2f) return this.#become(INTERMEDIATE)
    if (code === 0x5b) return this.#become(CONTROL)
    if (code === 0x5d) return this.#become(COMMAND_START)
    if (code === 0x50 || code === 0x58 || code === 0x5e || code === 0x5f) return this.#become(STRING)
    return this.#become(TEXT)
  }

  #inSequence(code: number): string {
    if (this.#state === ESCAPE) return this.#escape(code)
    // ESC [ K and ESC [ J erase the text after the cursor.
    if (this.#state === CONTROL && this.#length === 0 && (code === 0x4b || code === 0x4a)) this.#erase()
    const final = this.#state === CONTROL ? 0x40 : 0x30
    if (code >= final || ++this.#length > LONGEST_CONTROL) return this.#become(TEXT)
    return ''
  }

  #erase(): void {
    if (this.#returns === 0) this.#row.erase()
  }

  #command(code: number): string {
    // console_codes(4): ESC ] R and ESC ] P nrrggbb of the Linux console have no terminator.
    if (code === 0x52) return this.#become(TEXT)
    if (code === 0x50) return this.#become(PALETTE)
    this.#become(COMMAND)
    return this.#inString(code)
  }

  #palette(code: number, character: string): string {
    if (!/[\da-f]/i.test(character)) {
      this.#become(TEXT)
      return this.push(character)
    }
    if (++this.#length === 7) this.#become(TEXT)
    return ''
  }

  #inString(code: number): string {
    if (code === 0x1b) return this.#become(STRING_ESCAPE)
    const over = code === 0x9c || (code === 0x07 && this.#state === COMMAND)
    if (over || ++this.#length > LONGEST_STRING) return this.#become(TEXT)
    return ''
  }

  #become(state: State): '' {
    this.#state = state
    this.#length = 0
    return ''
  }
}

/** Whether a character is ESC or a C1 control character. */
function isStart(code: number): boolean {
  return code === 0x1b || (code >= 0x80 && code <= 0x9f)
}
