/** The console of a machine as an asciicast that the page's player can show. */
import { objectOf, readFirstLine, readTail, valueOf } from './bounded-file.ts'

/** What the player is given. */
export interface ConsoleReplay {
  /** An asciicast v2. */
  readonly cast: string
  /** Moments to jump to, seconds since the machine's start. */
  readonly markers: readonly (readonly [time: number, label: string])[]
  /** Time of the last event, seconds. */
  readonly duration: number
}

/** Bytes of a recording that are put into the page: its end, where the failure is. */
export const REPLAY_LIMIT: number = 1024 * 1024

/** Bytes. */
const HEADER_LIMIT = 4096

const SIZE = { width: 80, height: 24 }

/** @returns undefined when nothing was recorded */
export function readReplay(path: string): ConsoleReplay | undefined {
  const tail = readTail(path, REPLAY_LIMIT)
  // The header is the first line, which the end of a long recording does not have.
  const header = objectOf(readFirstLine(path, HEADER_LIMIT))
  if (tail === undefined || header?.['version'] !== 2) return undefined
  const events = tail.text.split('\n').flatMap(eventsOf)
  const [first] = events
  if (!first) return undefined
  if (tail.cut > 0) events.unshift([first[0], 'o', `… what was before this is in the files …\r\n`])
  const size = { width: sizeOf(header['width'], SIZE.width), height: sizeOf(header['height'], SIZE.height) }
  return {
    cast: [{ version: 2, ...size }, ...events].map((line) => `${JSON.stringify(line)}\n`).join(''),
    markers: events.flatMap(([time, code, data]) => (code === 'm' ? [[time, data] as const] : [])),
    duration: events.at(-1)?.[0] ?? 0,
  }
}

type Event = readonly [time: number, code: string, data: string]

/** A line of the recording, unless it is no event: the first, and the last of a killed recorder. */
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
