/** Work that does not count towards a test's time limit, such as a download or the first boot of a machine. Plain data. */

/** Report of a worker about an activity. */
export interface ActivityReport {
  /** Unique within the worker. */
  readonly id: number
  /** One line, for example `Preparing the Linux guest`. */
  readonly title: string
  /** Identifies activities with comparable durations, for example `guest-x86_64`. */
  readonly kind: string
  /** The current step, for example `Downloading linux-image-6.1.0-56-amd64 (71 MB)`. */
  readonly detail?: string | undefined
  /** From 0 to 1, if known. */
  readonly fraction?: number | undefined
  /** Missing until the activity has ended. */
  readonly outcome?: 'done' | 'failed' | undefined
}

/** Parses a line of a worker. Returns undefined for any other text: a worker may be killed while it writes. */
export function parseReport(line: string): ActivityReport | undefined {
  try {
    const report: unknown = JSON.parse(line)
    return isReport(report) ? report : undefined
  } catch {
    return undefined
  }
}

function isReport(value: unknown): value is ActivityReport {
  if (typeof value !== 'object' || value === null) return false
  const { id, title, kind, detail, fraction, outcome } = value as { readonly [Key in keyof ActivityReport]?: unknown }
  return (
    typeof id === 'number' &&
    typeof title === 'string' &&
    typeof kind === 'string' &&
    (detail === undefined || typeof detail === 'string') &&
    (fraction === undefined || typeof fraction === 'number') &&
    (outcome === undefined || outcome === 'done' || outcome === 'failed')
  )
}

/** An activity, for display. */
export interface Activity extends ActivityReport {
  readonly elapsedMs: number
  /** Duration of the previous activity of this kind; undefined without one. */
  readonly lastMs: number | undefined
}

/** For example `Preparing the Linux guest: Downloading … 45 % (12 s, last time 26 s)`. */
export function formatActivity({ title, detail, fraction, elapsedMs, lastMs }: Activity): string {
  const percent = fraction === undefined ? '' : ` ${Math.floor(fraction * 100)} %`
  const last = lastMs === undefined ? '' : `, last time ${formatElapsed(lastMs)}`
  return `${title}${detail === undefined ? '' : `: ${detail}`}${percent} (${formatElapsed(elapsedMs)}${last})`
}

/** Formats an elapsed time in seconds, for example `0.4 s` or `26 s`. */
export function formatElapsed(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 1 : 0)} s`
}
