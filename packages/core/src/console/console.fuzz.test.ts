import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cuts, fuzz, pieces } from '../../test/fuzz.ts'
import { ColdbootError } from '../errors.ts'
import { ExpectBuffer } from './match/expect-buffer.ts'
import type { Found, Pattern } from './match/pattern.ts'
import { newUtf8Decoder, PROJECTIONS, VIEW_NAMES, type ViewName } from './text/console-text.ts'

const CHUNKINGS_OF_A_TEXT = 50

/** Parts of output that are difficult for the decoder, escape sequences, time stamps and patterns. */
const unit = fc.oneof(
  fc.constantFrom(
    '\x1b[',
    '\x1b]0;',
    '\x1b\\',
    '\x1bP',
    '\x07',
    '\x9b',
    '\x18',
    '\r',
    '\n',
    '\r\n',
    '\b',
    '\0',
    '\x1b[K',
  ),
  fc.constantFrom('[    1.234567] ', '<6>[', '] ', 'login', ': ', '# ', 'a', '1', ';', 'ab', '\x1b[6n', '\x1b[31m'),
  fc.constantFrom('é', '日', '🧪', '\u0301', '\ufeff', '\u2028'),
)
const hostile = fc
  .array(fc.oneof({ weight: 5, arbitrary: unit.map((text) => Buffer.from(text)) }, fc.uint8Array({ maxLength: 3 })), {
    maxLength: 40,
  })
  .map((parts) => Buffer.concat(parts))
const pattern: fc.Arbitrary<Pattern> = fc.constantFrom<Pattern[]>(
  ...['login: ', '# ', '\n', 'ab', '\ufffd', '🧪'],
  ...[/(?:login|# )\s*/, /\[ *\d+\.\d+\]/, /^a.*1$/m, /[^\n]+\n/, /(\d)\D*\1/, /a(?=b)|é$/u],
)

/** All properties of a match that a caller can see. */
function facts(found: Found | undefined): unknown {
  return found && { ...found, result: found.result?.slice(1) }
}

function outcome(view: ViewName, wanted: readonly Pattern[], bytes: readonly Uint8Array[]): unknown {
  const [utf8, projection, buffer] = [newUtf8Decoder(), PROJECTIONS[view](), new ExpectBuffer(wanted)]
  try {
    for (const piece of bytes) {
      const found = buffer.push(projection.push(utf8.decode(piece, { stream: true })))
      if (found) return facts(found)
    }
    return facts(buffer.push(projection.push(utf8.decode()) + projection.end()) ?? buffer.end())
  } catch (error) {
    if (ColdbootError.is(error)) return error.code
    throw error
  }
}

test('10,000 chunkings of hostile output give the match of the whole output', () => {
  const several = fc.array(cuts, { minLength: CHUNKINGS_OF_A_TEXT, maxLength: CHUNKINGS_OF_A_TEXT })
  const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.constantFrom(...VIEW_NAMES), patterns, hostile, several, (view, wanted, bytes, chunkings) => {
      const whole = outcome(view, wanted, [bytes])
      for (const places of chunkings) expect(outcome(view, wanted, pieces(bytes, places))).toEqual(whole)
    }),
    fuzz(10_000 / CHUNKINGS_OF_A_TEXT),
  )
})
