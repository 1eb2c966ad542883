/**
 * Projection to the output of programs: clean text without kernel messages. A program's line that a kernel message
 * interrupts becomes one line again.
 */
import { CleanText, type Projection } from './decoder.ts'
import { KERNEL_STAMP } from './kernel-line.ts'

/** An incomplete time stamp at the end of the text. */
const HALF_STAMP =
  /(?:<\d{0,2}|(?:<\d{1,2}>)?(?:\[(?: {0,4}\d{0,10}|[ \d]{5,10}\.\d{0,6}|[ \d]{5,10}\.\d{6}\](?:\[ *(?:[TC]\d*\]?)?)?)|))$/

/** Longest time stamp, characters. */
const LONGEST_STAMP = 48

/** Removes kernel messages, with their line ends, from clean text. */
export class UserspaceText implements Projection {
  #clean = new CleanText()
  /** Text that may be the start of a time stamp. */
  #held = ''
  /** The character before the held text. If it is a quote, the time stamp is echoed input. */
  #last = ''
  #inMessage = false

  push(raw: string): string {
    return this.#lift(this.#clean.push(raw), false)
  }

  end(): string {
    return this.#lift(this.#clean.end(), true)
  }

  clone(): UserspaceText {
    const copy = new UserspaceText()
    copy.#clean = this.#clean.clone()
    copy.#held = this.#held
    copy.#last = this.#last
    copy.#inMessage = this.#inMessage
    return copy
  }

  #lift(added: string, isEnd: boolean): string {
    if (added === '' && !isEnd) return ''
    let rest = this.#last + this.#held + added
    // The previous character is only examined, not printed again.
    let skip = this.#last.length
    let text = ''
    while (rest.length > skip) {
      if (this.#inMessage) {
        const end = rest.indexOf('\n', skip)
        if (end < 0) {
          this.#held = ''
          return text
        }
        rest = this.#last + rest.slice(end + 1)
        skip = this.#last.length
        this.#inMessage = false
        continue
      }
      const stamp = KERNEL_STAMP.exec(rest)
      if (stamp === null) break
      this.#print(rest.slice(skip, stamp.index))
      text += rest.slice(skip, stamp.index)
      rest = rest.slice(stamp.index + stamp[0].length)
      skip = 0
      this.#inMessage = true
    }
    if (this.#inMessage) {
      this.#held = ''
      return text
    }
    const keep = isEnd ? rest.length : Math.max(skip, startOfHalf(rest))
    this.#held = rest.slice(keep)
    this.#print(rest.slice(skip, keep))
    return text + rest.slice(skip, keep)
  }

  #print(text: string): void {
    this.#last = text.at(-1) ?? this.#last
  }
}

/** Position of an incomplete time stamp at the end of the text; the end of the text if there is none. */
function startOfHalf(text: string): number {
  const from = Math.max(0, text.length - LONGEST_STAMP)
  const half = HALF_STAMP.exec(text.slice(from))
  return half === null ? text.length : from + half.index
}
