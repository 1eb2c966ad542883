/** Writes the files that are derived from others after the end of a machine: `console.txt` and `console.cast`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asciicast } from './asciicast.ts'
import { beginningAndEnd } from './bounded-lines.ts'
import { consoleText } from './console-text.ts'
import type { MachineMeta } from './machine-meta.ts'
import { readTimedLog } from './timed-log.ts'
import type { TimelineEntry } from './timeline.ts'

/** Files that are written while the machine runs. */
export const LOG_FILE = 'console.log'
export const TIMELINE_FILE = 'timeline.jsonl'

/** Options of {@link writeDerivedFiles}. */
export interface DerivedOptions {
  /** The console log. @default `console.log` of the folder */
  readonly log?: string | undefined
  /** Maximum size of each file, bytes. */
  readonly maxBytes: number
}

/**
 * Writes `console.txt` and `console.cast` from `console.log`, its timing file and `timeline.jsonl`.
 * @throws file system errors, also if there is no log
 */
export function writeDerivedFiles(directory: string, meta: MachineMeta, { log, maxBytes }: DerivedOptions): void {
  const pieces = readTimedLog(log ?? join(directory, LOG_FILE))
  const text = consoleText(pieces)
  const leftOut = (lines: number): string =>
    `[${lines} lines are left out here: this file is limited to ${maxBytes} bytes]`
  write(join(directory, 'console.txt'), beginningAndEnd(text, maxBytes, leftOut))
  const { file, names } = meta.test
  const title = [file, ...names, meta.name].join(' > ')
  const cast = asciicast({ title, started: new Date(meta.started) }, pieces, readTimeline(directory))
  const gap = (lines: number, before: number): string =>
    JSON.stringify([timeOf(cast[before - 1]), 'o', `\r\n${leftOut(lines)}\r\n`])
  write(join(directory, 'console.cast'), beginningAndEnd(cast, maxBytes, gap))
}

/** Reads the timeline of a machine. Skips incomplete lines. */
export function readTimeline(directory: string): readonly TimelineEntry[] {
  let text = ''
  try {
    text = readFileSync(join(directory, TIMELINE_FILE), 'utf8')
  } catch {
    // The machine has no events.
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as TimelineEntry]
    } catch {
      return []
    }
  })
}

function timeOf(line: string | undefined): number {
  const event: unknown = JSON.parse(line ?? '{}')
  return Array.isArray(event) && typeof event[0] === 'number' ? event[0] : 0
}

function write(file: string, lines: readonly string[]): void {
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
}
