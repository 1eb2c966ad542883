/** Controller of a machine's replay: shows console, displays, typed keys and steps at the same time. */
import { ConsoleText } from './console-text.ts'
import { first } from './elements.ts'
import { Film } from './film.ts'
import { Replay } from './replay.ts'
import { Steps } from './steps.ts'

/** Factors of the speed of a replay. */
const SPEEDS = [1, 4, 16]
/** Keys, and the fraction of the total time that they move by. */
const MOVES: Readonly<Record<string, number>> = {
  ArrowLeft: -0.01,
  ArrowDown: -0.01,
  ArrowRight: 0.01,
  ArrowUp: 0.01,
  PageDown: -0.1,
  PageUp: 0.1,
}

/** A machine of the page. */
export class Workbench {
  readonly element: HTMLElement
  readonly #console: ConsoleText
  readonly #slider: HTMLInputElement | undefined
  readonly #views: HTMLElement
  readonly #steps: Steps
  readonly #film: Film
  #replay: Replay | undefined
  #time: number
  #isPlaying = false
  #speed = 1

  /** @param onMove called when the user has moved the time */
  constructor(element: HTMLElement, onMove: (workbench: Workbench) => void) {
    this.element = element
    this.#views = first('.views', element) ?? element
    this.#console = new ConsoleText(this.#views)
    this.#steps = new Steps(element)
    this.#film = new Film(element.id, element)
    const slider = first('input[type="range"]', element)
    this.#slider = slider instanceof HTMLInputElement ? slider : undefined
    this.#time = Number(this.#slider?.defaultValue ?? 0)
    this.#slider?.addEventListener('input', () => this.seek(Number(this.#slider?.value)))
    this.#slider?.addEventListener('change', () => onMove(this))
    this.#slider?.addEventListener('keydown', (event) => {
      const time = this.#timeAfter(event)
      if (time === undefined) return
      event.preventDefault()
      this.seek(time)
      onMove(this)
    })
    const replay = first('.replay', element)
    // Keeps clicks and keys from the player, which would play without the other views.
    for (const type of ['click', 'keydown']) replay?.addEventListener(type, (event) => event.stopPropagation(), true)
    if (replay) this.#replay = Replay.create(element.id, replay)
    this.#selectTab('replay')
    this.#show()
  }

  get time(): number {
    return this.#time
  }

  get #end(): number {
    return Number(this.#slider?.max ?? 0)
  }

  /** Moves to a time and stops there. */
  seek(time: number): void {
    this.#isPlaying = false
    this.#time = Math.min(Math.max(time, 0), this.#end)
    this.#show()
  }

  /** Updates all views. */
  refresh(): void {
    this.#show()
  }

  /** Executes the action of a button. */
  act(action: string): void {
    if (action === 'play' && this.#isPlaying) this.seek(this.#time)
    else if (action === 'play') this.#play()
    if (action === 'previous') this.step(-1)
    if (action === 'next') this.step(1)
    if (action === 'failure') this.seek(Number(first('[data-act="failure"]', this.element)?.dataset['at'] ?? this.#end))
    if (action === 'speed') this.#nextSpeed()
    if (action === 'replay' || action === 'text') this.#selectTab(action)
  }

  /** Moves to the next or the previous step. */
  step(direction: 1 | -1): void {
    const time = this.#steps.beside(this.#time, direction)
    this.seek(time ?? (direction > 0 ? this.#end : 0))
  }

  /** Moves by a fraction of the total time. */
  move(key: string): void {
    this.seek(this.#time + (MOVES[key] ?? 0) * this.#end)
  }

  #timeAfter({ key, shiftKey }: KeyboardEvent): number | undefined {
    if (key === 'Home') return 0
    if (key === 'End') return this.#end
    const move = MOVES[key]
    return move === undefined ? undefined : this.#time + move * this.#end * (shiftKey ? 10 : 1)
  }

  #play(): void {
    if (this.#time >= this.#end) this.#time = 0
    this.#isPlaying = true
    let last = performance.now()
    const frame = (now: number): void => {
      if (!this.#isPlaying) return
      this.#time = Math.min(this.#time + ((now - last) / 1000) * this.#speed, this.#end)
      last = now
      if (this.#time >= this.#end) this.#isPlaying = false
      this.#show()
      if (this.#isPlaying) requestAnimationFrame(frame)
    }
    this.#show()
    requestAnimationFrame(frame)
  }

  #nextSpeed(): void {
    this.#speed = SPEEDS[(SPEEDS.indexOf(this.#speed) + 1) % SPEEDS.length] ?? 1
    const button = first('[data-act="speed"]', this.element)
    if (button) button.textContent = `${this.#speed}×`
  }

  /** Shows the console as a replay or as text. Without a recording there is only the text. */
  #selectTab(name: 'replay' | 'text'): void {
    const replay = first('.replay', this.element)
    const text = first('.console-box', this.element)
    if (!replay || !text) return
    replay.hidden = name !== 'replay'
    text.hidden = name !== 'text'
    for (const tab of ['replay', 'text']) {
      const button = document.getElementById(`${this.element.id}-tab-${tab}`)
      button?.setAttribute('aria-selected', String(tab === name))
      button?.setAttribute('tabindex', tab === name ? '0' : '-1')
    }
    this.#show()
  }

  #show(): void {
    if (!this.#slider) return
    const time = this.#time
    this.#slider.value = String(time)
    this.#slider.setAttribute('aria-valuetext', `${time.toFixed(2)} seconds`)
    const clock = first('.clock output', this.element)
    if (clock) clock.textContent = time.toFixed(2)
    const play = first('[data-act="play"]', this.element)
    if (play) play.textContent = this.#isPlaying ? 'Pause' : 'Play'
    this.#replay?.show(time)
    this.#film.show(time)
    this.#steps.show(time)
    if (!first('.console-box', this.element)?.hidden) this.#console.show(time)
  }
}
