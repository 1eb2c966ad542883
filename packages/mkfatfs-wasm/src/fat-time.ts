/** Times in the form of FAT: a date and a time of 16 bits each, in steps of two seconds. UTC, so that all hosts agree. */

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

/** Milliseconds since 1970; undefined for a date of zero, which means "not set", and for fields out of range. */
export function fromFatTime({ date, time }: FatTime): number | undefined {
  const month = (date >> 5) & 15
  const day = date & 31
  const hour = time >> 11
  const minute = (time >> 5) & 63
  const second = (time & 31) * 2
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined
  const start = new Date(Date.UTC(1980 + (date >> 9), month - 1, day))
  // Day 0 and days after the end of the month would move to another month.
  if (start.getUTCDate() !== day) return undefined
  return start.getTime() + (hour * 3600 + minute * 60 + second) * 1000
}
