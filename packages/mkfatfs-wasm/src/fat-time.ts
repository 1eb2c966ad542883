/** Conversion of FAT times: a date and a time of 16 bits each, with a resolution of two seconds. UTC, so that all hosts agree. */

const FIRST = Date.UTC(1980, 0, 1)
const LAST = Date.UTC(2107, 11, 31, 23, 59, 58)
const SECONDS_PER_DAY = 86_400

/** The two halves of a stored time. */
export interface FatTime {
  readonly date: number
  readonly time: number
}

/** Cache of the last date, because most files of a tree have the same few dates. */
let last = { day: 0, date: 0 }

/** Converts milliseconds since 1970, rounded down, and limited to the years 1980 to 2107. */
export function toFatTime(milliseconds: number): FatTime {
  const seconds = Math.floor(Math.min(Math.max(milliseconds, FIRST), LAST) / 1000)
  const day = Math.floor(seconds / SECONDS_PER_DAY)
  if (day !== last.day) last = { day, date: dateOf(new Date(day * SECONDS_PER_DAY * 1000)) }
  const second = seconds - day * SECONDS_PER_DAY
  const minute = Math.floor(second / 60)
  const hour = Math.floor(minute / 60)
  return { date: last.date, time: (hour << 11) | ((minute % 60) << 5) | ((second % 60) >> 1) }
}

function dateOf(when: Date): number {
  return ((when.getUTCFullYear() - 1980) << 9) | ((when.getUTCMonth() + 1) << 5) | when.getUTCDate()
}

/** Converts to milliseconds since 1970. Returns undefined for a date of zero, which means "not set", and for fields out of range. */
export function fromFatTime({ date, time }: FatTime): number | undefined {
  const month = (date >> 5) & 15
  const day = date & 31
  const hour = time >> 11
  const minute = (time >> 5) & 63
  const second = (time & 31) * 2
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined
  const start = new Date(Date.UTC(1980 + (date >> 9), month - 1, day))
  // `Date` would move day 0, and days after the end of the month, to another month.
  if (start.getUTCDate() !== day) return undefined
  return start.getTime() + (hour * 3600 + minute * 60 + second) * 1000
}
