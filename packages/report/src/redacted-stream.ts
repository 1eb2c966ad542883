/**
 * Redacts a stream of bytes, with the same result for every division into chunks. Holds back bytes that may be the start of a
 * secret; with regular expressions, holds back each line until its end.
 */
import type { LogFilter } from '@coldboot/core'

/** Secrets of a stream. Strings contain one byte per character (latin1), unless stated otherwise. */
export interface StreamSecrets {
  readonly texts: readonly string[]
  /** Matches any of the texts, the longest first. */
  readonly any: RegExp | undefined
  /** Redacts one line, given as Unicode. Undefined without regular expressions. */
  readonly line: ((line: string) => string) | undefined
  readonly replacement: string
}

/** Longest line, bytes. Longer lines are split. */
const LONGEST_LINE = 65_536

/** Redacts one stream. */
export class RedactedStream implements LogFilter {
  readonly #secrets: StreamSecrets
  readonly #longest: number
  /** Possible start of a text. */
  #held = ''
  /** Start of an incomplete line, already searched for texts. */
  #line = ''

  constructor(secrets: StreamSecrets) {
    this.#secrets = secrets
    this.#longest = Math.max(0, ...secrets.texts.map(({ length }) => length))
  }

  push(bytes: Uint8Array): Uint8Array {
    return this.#lines(this.#texts(this.#held + latin1(bytes), false), false)
  }

  end(): Uint8Array {
    return this.#lines(this.#texts(this.#held, true), true)
  }

  #texts(whole: string, ended: boolean): string {
    const { any, replacement } = this.#secrets
    this.#held = ''
    if (any === undefined) return whole
    let result = ''
    let from = 0
    for (;;) {
      const undecided = ended ? whole.length : this.#undecided(whole, from)
      any.lastIndex = from
      const found = any.exec(whole)
      // A match after this position may be part of a longer secret that starts here.
      if (found === null || found.index >= undecided) {
        this.#held = whole.slice(undecided)
        return result + whole.slice(from, undecided)
      }
      result += whole.slice(from, found.index) + replacement
      from = found.index + found[0].length
    }
  }

  /** Position of the first possible start of an incomplete text. */
  #undecided(whole: string, from: number): number {
    for (let at = Math.max(from, whole.length - this.#longest + 1); at < whole.length; at++) {
      const rest = whole.slice(at)
      if (this.#secrets.texts.some((text) => text.length > rest.length && text.startsWith(rest))) return at
    }
    return whole.length
  }

  #lines(text: string, ended: boolean): Uint8Array {
    const { line } = this.#secrets
    if (line === undefined) return Buffer.from(text, 'latin1')
    const lines = (this.#line + text).split('\n')
    this.#line = lines.pop() ?? ''
    const whole: Uint8Array[] = lines.map((one) => Buffer.concat([redactedLine(one, line), Buffer.from('\n')]))
    while (this.#line.length > LONGEST_LINE) {
      whole.push(redactedLine(this.#line.slice(0, LONGEST_LINE), line))
      this.#line = this.#line.slice(LONGEST_LINE)
    }
    if (ended) whole.push(redactedLine(this.#line, line))
    if (ended) this.#line = ''
    return Buffer.concat(whole)
  }
}

/** Returns the unchanged bytes of a line without a secret, even if they are not UTF-8. */
function redactedLine(line: string, redact: (line: string) => string): Uint8Array {
  const bytes = Buffer.from(line, 'latin1')
  const text = bytes.toString('utf8')
  const redacted = redact(text)
  return redacted === text ? bytes : Buffer.from(redacted)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
