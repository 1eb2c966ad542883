/** Notices that a console has paused, and asks whether its output so far matches. */
import { afterReading, now, startTimer, stopTimer } from '../../host/clock.ts'

/** Silence after which the output so far counts as the whole, milliseconds. A prompt is found this much later. */
export const SETTLE_MS = 50
/** The same for a match that could still become longer: half an address is worse than a late one. */
export const PATIENT_SETTLE_MS = 250

/** An attempt that took long is not repeated at once: at most one part in this many of the time goes into attempts. */
const SHARE = 5

/** What the timer asks of the console. Times in milliseconds. */
export interface SettlingConsole {
  /** Since the last byte. */
  quietMs(): number
  /** Whether an attempt could find anything. */
  wanted(): boolean
  /** Takes the output so far as the whole. */
  attempt(patient: boolean): void
}

/** The timer of one console. */
export class QuietTimer {
  readonly #console: SettlingConsole
  readonly #patientMs: number
  #timer: NodeJS.Timeout | undefined
  #due = Infinity
  #notBefore = 0

  constructor(console: SettlingConsole, patientMs: number) {
    this.#console = console
    this.#patientMs = patientMs
  }

  /** Something came, or something new is wanted. */
  arm(): void {
    if (this.#console.wanted()) this.#at(SETTLE_MS)
  }

  stop(): void {
    stopTimer(this.#timer)
    this.#due = Infinity
  }

  #at(quietMs: number): void {
    const time = now()
    const due = Math.max(this.#notBefore, time + quietMs - this.#console.quietMs())
    if (due >= this.#due) return
    stopTimer(this.#timer)
    this.#due = due
    this.#timer = startTimer(() => afterReading(() => this.#fire()), Math.max(0, due - time))
  }

  #fire(): void {
    this.#due = Infinity
    if (!this.#console.wanted()) return
    const quiet = this.#console.quietMs()
    if (quiet < SETTLE_MS) {
      this.#at(SETTLE_MS)
      return
    }
    const before = now()
    const patient = quiet >= this.#patientMs
    this.#console.attempt(patient)
    this.#notBefore = now() + (now() - before) * (SHARE - 1)
    if (!patient && this.#console.wanted()) this.#at(this.#patientMs)
  }
}
