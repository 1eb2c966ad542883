/** Work that a test waits for outside of its own time, such as a download or the first boot of a machine. Plain data. */

/** What a worker says about an activity. */
export interface ActivityReport {
  /** Unique within the worker. */
  readonly id: number
  /** One line: `Preparing the Linux guest`. */
  readonly title: string
  /** Identifies activities whose durations are comparable: `guest-x86_64`. */
  readonly kind: string
  /** What is being done now: `Downloading linux-image-6.1.0-56-amd64 (71 MB)`. */
  readonly detail?: string | undefined
  /** From 0 to 1, when it is known. */
  readonly fraction?: number | undefined
  /** Missing while it goes on. */
  readonly outcome?: 'done' | 'failed' | undefined
}

/** An activity as it is shown. */
export interface Activity extends ActivityReport {
  readonly elapsedMs: number
  /** How long the last activity of this kind took; undefined when there was none. */
  readonly lastMs: number | undefined
}

/** `Preparing the Linux guest: Downloading … 45 % (12 s, last time 26 s)`. */
export function formatActivity({ title, detail, fraction, elapsedMs, lastMs }: Activity): string {
  const percent = fraction === undefined ? '' : ` ${Math.floor(fraction * 100)} %`
  const last = lastMs === undefined ? '' : `, last time ${formatDuration(lastMs)}`
  return `${title}${detail === undefined ? '' : `: ${detail}`}${percent} (${formatDuration(elapsedMs)}${last})`
}

/** `0.4 s`, `26 s`. */
export function formatDuration(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 1 : 0)} s`
}
