/** Prints progress as lines, for CI and other output that cannot be updated in place. */
import { type Activity, formatActivity, formatElapsed } from './activity.ts'
import type { ProgressDisplay } from './progress-board.ts'

/** Interval between lines of an activity, milliseconds. */
const EVERY_MS = 10_000

/**
 * Prints a line at the start of an activity, at each step, every ten seconds, and at the end. Of several activities with the
 * same title, such as boots for each test, only the first is printed.
 */
export class ProgressLog implements ProgressDisplay {
  readonly #write: (line: string) => void
  readonly #shown = new Map<string, Shown>()

  /** @param write receives a line with its line end */
  constructor(write: (line: string) => void) {
    this.#write = write
  }

  refresh(activities: readonly Activity[]): void {
    for (const activity of activities) {
      const { id, title, detail, elapsedMs } = activity
      const shown = this.#shown.get(title)
      if (shown === undefined) {
        this.#shown.set(title, { id, detail, atMs: elapsedMs, isOver: false })
      } else {
        const isDue = detail !== shown.detail || elapsedMs - shown.atMs >= EVERY_MS
        if (shown.isOver || shown.id !== id || !isDue) continue
        shown.detail = detail
        shown.atMs = elapsedMs
      }
      this.#write(`coldboot: ${formatActivity(activity)}\n`)
    }
  }

  ended({ id, title, outcome, elapsedMs }: Activity): void {
    const shown = this.#shown.get(title)
    if (shown === undefined || shown.isOver || shown.id !== id) return
    shown.isOver = true
    this.#write(`coldboot: ${title}: ${outcome === 'done' ? 'done' : 'failed'} after ${formatElapsed(elapsedMs)}\n`)
  }
}

interface Shown {
  readonly id: number
  detail: string | undefined
  /** Elapsed time of the activity at its last line. */
  atMs: number
  isOver: boolean
}
