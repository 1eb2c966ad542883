/** A console log with its times, as the machine wrote them. */
import { readFileSync } from 'node:fs'

/** Bytes that came together. */
export interface TimedBytes {
  /** Seconds since the machine's start. */
  readonly time: number
  readonly bytes: Buffer
}

/** @param file the log; beside it, as `<file>.timing`, lines of `<seconds since the line before> <bytes>` */
export function readTimedLog(file: string): readonly TimedBytes[] {
  const log = readFileSync(file)
  const pieces: TimedBytes[] = []
  let time = 0
  let at = 0
  for (const line of readFileSync(`${file}.timing`, 'utf8').split('\n')) {
    const [, seconds, length] = /^(\d+\.\d+) (\d+)$/.exec(line) ?? []
    if (seconds === undefined || at >= log.length) continue
    time += Number(seconds)
    const end = at + Number(length)
    pieces.push({ time, bytes: log.subarray(at, end) })
    at = end
  }
  // A kill may come between a piece and its time.
  if (at < log.length) pieces.push({ time, bytes: log.subarray(at) })
  return pieces
}
