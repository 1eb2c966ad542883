/** Times as FAT stores them: a date and a time of 16 bits each, in steps of two seconds. UTC, so that every host agrees. */

const FIRST = Date.UTC(1980, 0, 1)
const LAST = Date.UTC(2107, 11, 31, 23, 59, 58)

/** The two halves of a stored time. */
export interface FatTime {
  readonly date: number
  readonly time: number
}

/** Milliseconds since 1970 → the last step at or before it, within 1980 to 2107. */
export function toFatTime(milliseconds: number): FatTime {
  const when = new Date(Math.min(Math.max(milliseconds, FIRST), LAST))
  return {
    date: ((when.getUTCFullYear() - 1980) << 9) | ((when.getUTCMonth() + 1) << 5) | when.getUTCDate(),
    time: (when.getUTCHours() << 11) | (when.getUTCMinutes() << 5) | (when.getUTCSeconds() >> 1),
  }
}

/** The time stored, as milliseconds since 1970. */
export function fromFatTime({ date, time }: FatTime): number {
  const day = Date.UTC(1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31)
  return day + ((time >> 11) * 3600 + ((time >> 5) & 63) * 60 + (time & 31) * 2) * 1000
}
