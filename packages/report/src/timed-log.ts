/** Reads a console log with its timing file. */
import { readFileSync } from 'node:fs'

/** Bytes that were printed at the same time. */
export interface TimedBytes {
  /** Seconds since the machine's start. */
  readonly time: number
  readonly bytes: Buffer
}

/** @param file the log; `<file>.timing` contains lines of `<seconds since the previous line> <bytes>` */
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
  // The last bytes have no time if the process was killed.
  if (at < log.length) pieces.push({ time, bytes: log.subarray(at) })
  return pieces
}
