/** Detects pauses of a console, after which the output so far is searched as if it were complete. */
import { afterReading, now, startTimer, stopTimer } from '../../host/clock.ts'

/**
 * Silence after which the output so far counts as complete, milliseconds. The match of a prompt is delayed by this
 * time.
 */
export const SETTLE_MS = 50
/** Silence after which even a match that could become longer is accepted, such as an IP address, milliseconds. */
export const PATIENT_SETTLE_MS = 250

/** Attempts may take at most 1/SHARE of the time. */
const SHARE = 5

/** The part of a console that the timer needs. Times in milliseconds. */
export interface SettlingConsole {
  /** Time since the last byte. */
  quietMs(): number
  /** Whether an attempt could find a match. */
  wanted(): boolean
  /**
   * Searches the output so far as if it were complete.
   * @param patient whether to accept a match that could become longer
   */
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

  /** Starts the timer after new output or a new wait. */
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
