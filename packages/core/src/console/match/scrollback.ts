/** Searches all output of a console, including output that is only in the log. */
import { ExpectError } from '../../errors.ts'
import type { Transcript } from '../log/transcript.ts'
import { type ConsoleText, newUtf8Decoder, PROJECTIONS, type ViewName } from '../text/console-text.ts'
import { ExpectBuffer } from './expect-buffer.ts'
import { describePatterns, type Found, type Match, type Pattern, toMatch } from './pattern.ts'
import type { RegExpTimeout } from './regexp/regexp-timeout.ts'

/** The output to search. */
export interface Scrollback {
  readonly name: string
  readonly text: ConsoleText
  readonly transcript: Transcript
  readonly regExpTimeout: RegExpTimeout
}

/**
 * Finds the first match in all output so far, as if it were complete. Output that is no longer in memory is read from
 * the log.
 *
 * @throws ExpectError `OUTPUT_DROPPED` when neither memory nor the log has all output, and the rest does not match
 * @throws ExpectError `PATTERN_TOO_SLOW`
 */
export function searchScrollback(
  history: Scrollback,
  patterns: readonly Pattern[],
  viewName: ViewName,
): Match | undefined {
  const { text, regExpTimeout } = history
  const view = text.view(viewName)
  const log = text.start > 0 ? history.transcript.read() : undefined
  const pieces = log === undefined ? [view.slice(view.start)] : decode(log, viewName)
  const dropped = log === undefined ? text.start : 0
  const buffer = new ExpectBuffer(patterns, { regExpTimeout })
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
  const place = `in the kept part of the console of "${name}"`
  return new ExpectError(
    'OUTPUT_DROPPED',
    `${describePatterns(patterns)} is not ${place}, but the first ${dropped} characters are no longer kept`,
    { sections: { Log: transcript.file } },
  )
}
