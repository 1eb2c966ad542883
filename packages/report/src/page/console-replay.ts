/** Prepares the recording of a console for the player of the page. */
import { objectOf, readFirstLine, readTail, valueOf } from './bounded-file.ts'

/** Data for the player. */
export interface ConsoleReplay {
  /** An asciicast v2. */
  readonly cast: string
  /** Times to jump to, seconds since the start of the machine. */
  readonly markers: readonly (readonly [time: number, label: string])[]
  /** Time of the last event, seconds. */
  readonly duration: number
}

/** Bytes of a recording to embed. The end is kept, because it contains the failure. */
export const REPLAY_LIMIT: number = 1024 * 1024

/** Bytes. */
const HEADER_LIMIT = 4096

const SIZE = { width: 80, height: 24 }

/** @returns undefined if nothing was recorded */
export function readReplay(path: string): ConsoleReplay | undefined {
  const tail = readTail(path, REPLAY_LIMIT)
  // The tail of a long recording does not contain the header.
  const header = objectOf(readFirstLine(path, HEADER_LIMIT))
  if (tail === undefined || header?.['version'] !== 2) return undefined
  // The player shows nothing if a time is before the previous one.
  const events = tail.text
    .split('\n')
    .flatMap(eventsOf)
    .sort((a, b) => a[0] - b[0])
  const [first] = events
  if (!first) return undefined
  if (tail.cut > 0) events.unshift([first[0], 'o', `… earlier output is in the files …\r\n`])
  const size = { width: sizeOf(header['width'], SIZE.width), height: sizeOf(header['height'], SIZE.height) }
  return {
    cast: [{ version: 2, ...size }, ...events].map((line) => `${JSON.stringify(line)}\n`).join(''),
    markers: events.flatMap(([time, code, data]) => (code === 'm' ? [[time, data] as const] : [])),
    duration: events.at(-1)?.[0] ?? 0,
  }
}

type Event = readonly [time: number, code: string, data: string]

/** Parses a line of the recording. Skips the header and an incomplete last line. */
function eventsOf(line: string): Event[] {
  const event = valueOf(line)
  if (!Array.isArray(event)) return []
  const [time, code, data]: unknown[] = event
  const isComplete = typeof time === 'number' && typeof code === 'string' && typeof data === 'string'
  return isComplete && time >= 0 ? [[time, code, data]] : []
}

function sizeOf(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 1000 ? value : fallback
}
