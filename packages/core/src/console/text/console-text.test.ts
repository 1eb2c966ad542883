import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConsoleText } from './console-text.ts'
import { CleanText } from './decoder.ts'

const unit = fc.constantFrom('a', 'b', '\r', '\n', '\x1b[1m', '\x1b[0K', '\x1b', '[', '3')
const pieces = fc.array(fc.string({ unit, maxLength: 8 }), { maxLength: 20 })

function filled(raw: readonly string[], keep?: number): ConsoleText {
  const text = new ConsoleText(keep)
  for (const piece of raw) text.append(piece)
  return text
}

describe('views', () => {
  test('each view shows the whole stream in its form', () => {
    fc.assert(
      fc.property(pieces, (raw) => {
        const text = filled(raw)
        text.finish()
        const decoder = new CleanText()
        expect(text.view('raw').slice(0)).toBe(raw.join(''))
        expect(text.view('clean').slice(0)).toBe(decoder.push(raw.join('')) + decoder.end())
      }),
    )
  })

  test('map positions: the rest after a clean match in the raw view becomes the rest in the clean view', () => {
    fc.assert(
      fc.property(pieces, fc.nat(), (raw, number) => {
        const text = filled(raw)
        const clean = text.view('clean')
        const offset = number % (clean.end + 1)
        const position = clean.toStream(offset)
        const rest = new CleanText()
        rest.push(raw.join('').slice(0, position))
        // A carriage return that is held back belongs to the following text, unless it was part of the match.
        expect(clean.slice(offset).replace(/^\r+/, '')).toBe(
          rest.push(text.view('raw').slice(position)).replace(/^\r+/, ''),
        )
        expect(clean.fromStream(position)).toBeLessThanOrEqual(offset)
        expect(clean.slice(clean.fromStream(position), offset)).toMatch(/^\r*$/)
      }),
      { numRuns: 1000 },
    )
  })

  test('do not skip invisible characters after a position', () => {
    const text = filled(['login:\x1b[0m ok'])
    expect(text.view('raw').slice(text.view('clean').toStream(6))).toBe('\x1b[0m ok')
  })

  test('return every part of a long text', () => {
    const raw = Array.from({ length: 3000 }, (_, number) => `line ${number}\r\n`)
    const clean = filled(raw).view('clean')
    const whole = raw.join('').replaceAll('\r', '')
    for (const [from, to] of [
      [0, 10],
      [8190, 8195],
      [20_000, 30_000],
      [whole.length - 5, whole.length],
    ] as const) {
      expect(clean.slice(from, to)).toBe(whole.slice(from, to))
    }
  })
})

describe('a text with a limit', () => {
  test('keeps at least that many characters, and counts from the start', () => {
    const raw = Array.from({ length: 5000 }, (_, number) => `line ${number}\r\n`)
    const whole = raw.join('').replaceAll('\r', '')
    const text = filled(raw, 10_000)
    const clean = text.view('clean')
    expect(text.start).toBeGreaterThan(0)
    expect(text.view('raw').slice(0).length).toBeGreaterThanOrEqual(10_000)
    expect(text.view('raw').slice(0).length).toBeLessThan(30_000)
    expect(clean.end).toBe(whole.length)
    expect(clean.slice(clean.start)).toBe(whole.slice(clean.start))
    expect(clean.slice(0, clean.start + 5)).toBe(whole.slice(clean.start, clean.start + 5))
  })
})
