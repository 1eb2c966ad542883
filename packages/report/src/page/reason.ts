/** One-line reason of a failed test. */
import type { AttemptReport } from '../run-report.ts'
import { errorParts } from './error-parts.ts'

/** The reason of the last failed attempt; undefined if no attempt has an error. */
export function reasonOf(attempts: readonly AttemptReport[]): string | undefined {
  const errors = attempts.findLast(({ errors }) => errors.length > 0)?.errors ?? []
  const [first] = errors
  if (first === undefined) return undefined
  const { headline, text } = errorParts(first)
  // The first line of a matcher's error is its call, and the next paragraph the reason.
  const reason = /^expect\(.*\)/.test(headline) && text !== '' ? paragraphOf(text) : headline
  return errors.length > 1 ? `${reason} (and ${errors.length - 1} more)` : reason
}

/** The first line, or all of a list of values such as Jest's `Expected: 1` and `Received: 0`. */
function paragraphOf(text: string): string {
  const lines = (text.split(/\n\s*\n/, 1)[0] ?? '').split('\n').map((line) => line.trim())
  return lines.every((line) => /^[A-Z][\w ]*: /.test(line)) ? lines.join(', ') : (lines[0] ?? '')
}
