/**
 * What programs printed: clean text without the kernel's messages. The kernel writes them wherever the cursor is, so that a
 * line of a program can be cut in two; without the message its halves are one line again.
 */
import { CleanText, type Projection } from './decoder.ts'
import { KERNEL_STAMP } from './kernel-line.ts'

/** What could become a stamp with the characters to come. */
const HALF_STAMP =
  /(?:<\d{0,2}|(?:<\d{1,2}>)?(?:\[(?: {0,4}\d{0,10}|[ \d]{5,10}\.\d{0,6}|[ \d]{5,10}\.\d{6}\](?:\[ *(?:[TC]\d*\]?)?)?)|))$/

/** A stamp is no longer than this. */
const LONGEST_STAMP = 48

/** Clean text, the kernel's messages removed with their line ends. */
export class UserspaceText implements Projection {
  #clean = new CleanText()
  /** What may be the beginning of a stamp. */
  #held = ''
  /** The character before it: a quote before a stamp means that it was typed. */
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
    // The character before is there to be looked at only.
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

/** Where a stamp may have begun that the end of the text cuts off; the end when none has. */
function startOfHalf(text: string): number {
  const from = Math.max(0, text.length - LONGEST_STAMP)
  const half = HALF_STAMP.exec(text.slice(from))
  return half === null ? text.length : from + half.index
}
