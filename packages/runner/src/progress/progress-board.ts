/** Collects the activities of all workers of a run, and passes them to a display. */
import { type Activity, type ActivityReport, formatActivity } from './activity.ts'
import { DurationRecord } from './durations.ts'

/** Shows activities. */
export interface ProgressDisplay {
  /** Called at each change, and regularly during activities to update their times. */
  refresh(activities: readonly Activity[]): void
  /** Called once when an activity ends, before the refresh without it. */
  ended?(activity: Activity): void
}

/** How often a display is refreshed, milliseconds. */
const REFRESH_MS = 200
/** Shorter activities are not shown, because their line would only flash. Milliseconds. */
const SHOWN_AFTER_MS = 300

interface Entry {
  readonly startedMs: number
  report: ActivityReport
}

/** The activities of a run. */
export class ProgressBoard {
  readonly #display: ProgressDisplay
  readonly #entries = new Map<string, Entry>()
  readonly #record: DurationRecord
  #durations: ReadonlyMap<string, number> = new Map()
  #timer: NodeJS.Timeout | undefined

  constructor(display: ProgressDisplay, record: DurationRecord = new DurationRecord()) {
    this.#display = display
    this.#record = record
    void this.#record.read().then((durations) => {
      this.#durations = durations
    })
  }

  /** The activities to show now, the oldest first. */
  get activities(): readonly Activity[] {
    return [...this.#entries.values()].map((entry) => this.#activity(entry)).filter(isShown)
  }

  /** @param worker unique id of the worker */
  receive(worker: string, report: ActivityReport): void {
    const key = `${worker} ${report.id}`
    const entry = this.#entries.get(key) ?? { startedMs: performance.now(), report }
    entry.report = report
    if (report.outcome === undefined) {
      this.#entries.set(key, entry)
      this.#timer ??= setInterval(() => this.#refresh(), REFRESH_MS).unref()
    } else {
      this.#entries.delete(key)
      this.#end(this.#activity(entry))
    }
    this.#refresh()
  }

  /** Removes the activities of a worker that has ended. */
  forget(worker: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(`${worker} `)) this.#entries.delete(key)
    this.#refresh()
  }

  #end(activity: Activity): void {
    if (isShown(activity)) this.#display.ended?.(activity)
    if (activity.outcome !== 'done') return
    this.#durations = new Map([...this.#durations, [activity.kind, activity.elapsedMs]])
    void this.#record.write(activity.kind, activity.elapsedMs)
  }

  #refresh(): void {
    if (this.#entries.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    this.#display.refresh(this.activities)
  }

  #activity({ report, startedMs }: Entry): Activity {
    return { ...report, elapsedMs: performance.now() - startedMs, lastMs: this.#durations.get(report.kind) }
  }
}

function isShown({ elapsedMs }: Activity): boolean {
  return elapsedMs >= SHOWN_AFTER_MS
}

/** Maximum number of lines in a terminal. */
const MOST_ROWS = 3

/** Columns of a terminal with unknown width. */
const USUAL_COLUMNS = 80

/**
 * Formats activities as rows that fit the width of a terminal.
 * @param width columns; undefined or 0 if unknown
 */
export function activityRows(activities: readonly Activity[], width: number | undefined): readonly string[] {
  const columns = width || USUAL_COLUMNS
  const rest = activities.length - MOST_ROWS
  const shown = rest > 0 ? activities.slice(0, MOST_ROWS - 1) : activities
  const rows = shown.map((activity) => `coldboot: ${formatActivity(activity)}`)
  if (rest > 0) rows.push(`coldboot: and ${rest + 1} more`)
  return rows.map((row) => (row.length < columns ? row : `${row.slice(0, columns - 2)}…`))
}
