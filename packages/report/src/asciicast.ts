/** Writes a console as an asciinema recording: asciicast v2 (docs.asciinema.org/manual/asciicast/v2). */
import type { TimedBytes } from './timed-log.ts'
import type { TimelineEntry } from './timeline.ts'

/** Facts for the header. */
export interface CastHeader {
  readonly title: string
  /** When the machine started. */
  readonly started: Date
}

/** Size that guests assume for a serial console, which has none. */
const WIDTH = 80
const HEIGHT = 24

type CastEvent = readonly [time: number, code: string, text: string]

/** The lines of a recording: the header, output (`o`), input (`i`), and markers (`m`) at failures. */
export function asciicast(
  { title, started }: CastHeader,
  pieces: readonly TimedBytes[],
  timeline: readonly TimelineEntry[],
): readonly string[] {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  const output = pieces.map(({ time, bytes }) => [time, 'o', utf8.decode(bytes, { stream: true })] as const)
  const typed = timeline.filter(({ kind }) => kind === 'send').map(({ time, text }) => [time, 'i', text] as const)
  const markers = timeline
    .filter(isWrong)
    .map(({ time, kind, text }) => [time, 'm', `${kind}: ${firstLine(text)}`] as const)
  const events = [...output, ...typed, ...markers].filter(([, , text]) => text !== '')
  const header = { version: 2, width: WIDTH, height: HEIGHT, timestamp: Math.floor(started.getTime() / 1000), title }
  // The sort is stable: at the same time, output comes before input, and input before a marker.
  return [
    JSON.stringify(header),
    ...joined(events.sort(([a], [b]) => a - b)).map(([time, code, text]) =>
      JSON.stringify([rounded(time), code, text]),
    ),
  ]
}

/** Seconds. Output within one frame is merged, because guests print byte by byte. */
const FRAME = 1 / 60

function joined(events: readonly CastEvent[]): readonly CastEvent[] {
  const frames: [time: number, code: string, text: string][] = []
  for (const [time, code, text] of events) {
    const last = frames.at(-1)
    if (last !== undefined && code === 'o' && last[1] === 'o' && time - last[0] < FRAME) last[2] += text
    else frames.push([time, code, text])
  }
  return frames
}

function isWrong({ kind, ok }: TimelineEntry): boolean {
  return kind === 'incident' || (ok === false && kind !== 'result')
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}
