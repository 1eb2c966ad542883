/** Looks for a pattern in everything a console has printed, also in what is no longer kept in memory. */
import { ExpectError } from '../../errors.ts'
import type { Transcript } from '../log/transcript.ts'
import { type ConsoleText, newUtf8Decoder, PROJECTIONS, type ViewName } from '../text/console-text.ts'
import { ExpectBuffer } from './expect-buffer.ts'
import { describePatterns, type Found, type Match, type Pattern, toMatch } from './pattern.ts'
import type { Guard } from './regexp-guard.ts'

/** Where to look. */
export interface Scrollback {
  readonly name: string
  readonly text: ConsoleText
  readonly transcript: Transcript
  readonly guard: Guard
}

/**
 * The first match in everything printed so far, as if nothing followed. What is no longer in memory is read from the log.
 *
 * @throws ExpectError `OUTPUT_DROPPED` when the log does not have it either and the rest does not match
 * @throws ExpectError `PATTERN_TOO_SLOW`
 */
export function searchScrollback(
  history: Scrollback,
  patterns: readonly Pattern[],
  viewName: ViewName,
): Match | undefined {
  const { text, guard } = history
  const view = text.view(viewName)
  const log = text.start > 0 ? history.transcript.read() : undefined
  const pieces = log === undefined ? [view.slice(view.start)] : decode(log, viewName)
  const dropped = log === undefined ? text.start : 0
  const buffer = new ExpectBuffer(patterns, { guard })
  let before = ''
  let found: Found | undefined
  for (const piece of pieces) {
    before += piece
    found = buffer.push(piece)
    if (found !== undefined) break
  }
  found ??= buffer.end()
  if (found !== undefined) return toMatch(found, patterns, before.slice(0, found.start), dropped)
  if (dropped > 0) throw droppedError(history, patterns, dropped)
  return undefined
}

function* decode(log: Iterable<Uint8Array>, viewName: ViewName): Generator<string, void, undefined> {
  const utf8 = newUtf8Decoder()
  const projection = PROJECTIONS[viewName]()
  for (const bytes of log) yield projection.push(utf8.decode(bytes, { stream: true }))
}

function droppedError({ name, transcript }: Scrollback, patterns: readonly Pattern[], dropped: number): ExpectError {
  const place = `in what is kept of the console of "${name}"`
  return new ExpectError(
    'OUTPUT_DROPPED',
    `${describePatterns(patterns)} is not ${place}, but the first ${dropped} characters are no longer kept`,
    { sections: { Log: transcript.file } },
  )
}
