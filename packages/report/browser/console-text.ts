/** Marks the line of a console's text for a time, and finds lines. */
import { all, first } from './elements.ts'

/** The time before a line, seconds. */
const TIMED = /^ *(\d+\.\d+) {2}/

/** The text of a console. */
export class ConsoleText {
  readonly #pre: HTMLElement | undefined
  #lines: readonly HTMLElement[] | undefined
  #now: HTMLElement | undefined

  constructor(views: HTMLElement) {
    this.#pre = first('.console-text', views)
  }

  /** Marks the last line that was printed until a time, and scrolls to it. */
  show(time: number): void {
    const line = this.#divided().findLast((one) => Number(one.dataset['time']) <= time)
    if (line === this.#now) return
    this.#now?.classList.remove('now')
    line?.classList.add('now')
    this.#now = line
    if (line && this.#pre) keepInView(line, this.#pre)
  }

  /** Returns the lines as elements, created by the first call. */
  #divided(): readonly HTMLElement[] {
    if (!this.#pre || this.#pre.dataset['timed'] === undefined) return []
    if (this.#lines) return this.#lines
    let time = ''
    const lines = (this.#pre.textContent ?? '')
      .split('\n')
      .slice(0, -1)
      .map((text) => {
        time = TIMED.exec(text)?.[1] ?? time
        const line = document.createElement('span')
        line.textContent = `${text}\n`
        line.dataset['time'] = time
        return line
      })
    this.#pre.replaceChildren(...lines)
    this.#lines = all(':scope > span', this.#pre)
    return this.#lines
  }
}

/** A line of a console. */
interface FoundLine {
  /** Without its time. */
  readonly text: string
  /** Seconds; undefined if unknown. */
  readonly time: number | undefined
}

/** Finds the first line of a console's text that contains a word in lower case. */
export function findLine(pre: HTMLElement, word: string): FoundLine | undefined {
  const text = pre.textContent ?? ''
  const at = text.toLowerCase().indexOf(word)
  if (at < 0) return undefined
  const start = text.lastIndexOf('\n', at) + 1
  const end = text.indexOf('\n', at)
  const line = text.slice(start, end < 0 ? undefined : end)
  if (pre.dataset['timed'] === undefined) return { text: line.trim(), time: undefined }
  const time = TIMED.exec(line)?.[1]
  return { text: line.replace(TIMED, '').trim(), time: time === undefined ? undefined : Number(time) }
}

/** Scrolls a list so that an element in it is visible. The page does not move. */
export function keepInView(element: HTMLElement, list: HTMLElement): void {
  const top = element.getBoundingClientRect().top - list.getBoundingClientRect().top
  const isVisible = top >= 0 && top + element.offsetHeight <= list.clientHeight
  if (!isVisible) list.scrollTop += top - list.clientHeight / 2
}
