/** Makes the lines of a console's text follow a time, and finds lines. */
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

  /** Index of the first line that contains a text in lower case; -1 if none does. */
  indexOf(text: string): number {
    return this.#texts().findIndex((line) => line.toLowerCase().includes(text))
  }

  /** A line without its time. */
  lineAt(index: number): string {
    return (this.#texts()[index] ?? '').replace(TIMED, '').trim()
  }

  /** Time of a line, or of the last one before it that has a time. */
  timeOf(index: number): number | undefined {
    const timed = this.#texts()
      .slice(0, index + 1)
      .findLast((line) => TIMED.test(line))
    return timed === undefined || !this.#isTimed() ? undefined : Number(TIMED.exec(timed)?.[1])
  }

  #texts(): readonly string[] {
    return this.#pre?.textContent?.split('\n') ?? []
  }

  #isTimed(): boolean {
    return this.#pre?.dataset['timed'] !== undefined
  }

  /** The lines as elements, made when they are first needed. */
  #divided(): readonly HTMLElement[] {
    if (!this.#pre || !this.#isTimed()) return []
    if (this.#lines) return this.#lines
    let time = ''
    const lines = this.#texts()
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

/** Scrolls a list so that an element in it is visible. The page does not move. */
export function keepInView(element: HTMLElement, list: HTMLElement): void {
  const top = element.getBoundingClientRect().top - list.getBoundingClientRect().top
  const isVisible = top >= 0 && top + element.offsetHeight <= list.clientHeight
  if (!isVisible) list.scrollTop += top - list.clientHeight / 2
}
