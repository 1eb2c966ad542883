/** Marks the steps of a machine for a time. */
import { keepInView } from './console-text.ts'
import { all, first } from './elements.ts'

interface Step {
  readonly row: HTMLElement
  readonly from: number
  readonly time: number
}

/** The steps of a workbench. */
export class Steps {
  readonly #list: HTMLElement | undefined
  readonly #steps: readonly Step[]
  readonly #keys: HTMLElement | undefined

  constructor(workbench: HTMLElement) {
    this.#list = first('.steps ol', workbench)
    this.#keys = first('.keys', workbench)
    this.#steps = all('.step', workbench).map((row) => {
      const { time, from } = row.dataset
      return { row, time: Number(time), from: Number(from ?? time) }
    })
  }

  /** Marks the last step before a time, running steps and later steps, and shows the last input. */
  show(time: number): void {
    const current = this.#visible().findLast((step) => step.time <= time)
    for (const step of this.#steps) {
      step.row.classList.toggle('running', step.from <= time && time < step.time)
      step.row.classList.toggle('later', step.from > time)
      if (step === current) step.row.setAttribute('aria-current', 'step')
      else step.row.removeAttribute('aria-current')
    }
    if (current && this.#list) keepInView(current.row, this.#list)
    this.#showKeys(time)
  }

  /** Returns the time of the next or previous step. */
  beside(time: number, direction: 1 | -1): number | undefined {
    const steps = this.#visible()
    if (direction > 0) return steps.find((step) => step.time > time)?.time
    return steps.findLast((step) => step.time < time)?.time
  }

  #visible(): readonly Step[] {
    return this.#steps.filter(({ row }) => row.checkVisibility())
  }

  #showKeys(time: number): void {
    if (!this.#keys) return
    const typed = this.#steps.findLast(({ row, time: at }) => row.dataset['keys'] !== undefined && at <= time)
    this.#keys.hidden = typed === undefined
    if (!typed) return
    const keys = document.createElement('kbd')
    keys.textContent = typed.row.dataset['keys'] ?? ''
    this.#keys.replaceChildren(`Input at ${typed.time.toFixed(2)} s: `, keys)
  }
}
