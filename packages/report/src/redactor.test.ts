import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Redactor } from './redactor.ts'

/** Passes chunks through a stream. */
function streamed(redactor: Redactor, pieces: readonly Uint8Array[]): Buffer {
  const stream = redactor.stream()
  return Buffer.concat([...pieces.map((piece) => stream.push(piece)), stream.end()])
}

describe('string secrets', () => {
  test('are redacted everywhere, the longest first', () => {
    const redactor = new Redactor(['pass', 'pass.word', ''])
    expect(redactor.text('a pass, a pass.word, a passXword')).toBe('a [redacted], a [redacted], a [redacted]Xword')
  })

  test('are redacted in every string of a JSON value, and nothing else is changed', () => {
    const redactor = new Redactor(['s"3'])
    expect(redactor.value({ a: ['xs"3', 1, null, true], b: { c: 's"3' } })).toEqual({
      a: ['x[redacted]', 1, null, true],
      b: { c: '[redacted]' },
    })
  })

  test('are also found in JSON and quoted for a shell', () => {
    const redactor = new Redactor([`it's "me"`])
    const json = JSON.stringify(`it's "me"`)
    expect(redactor.text(`${json} ${JSON.stringify(json)} 'it'\\''s "me"'`)).toBe(
      `"[redacted]" "\\"[redacted]\\"" '[redacted]'`,
    )
  })

  test('empty strings as secrets change nothing', () => {
    const redactor = new Redactor([''])
    expect(redactor.active).toBe(false)
    const value = {}
    expect(redactor.value(value)).toBe(value)
    expect(streamed(redactor, [Buffer.from([0xff, 0x0a])])).toEqual(Buffer.from([0xff, 0x0a]))
  })
})

describe('a regular expression secret', () => {
  test('matches within one line, and its flags g and y are ignored', () => {
    const redactor = new Redactor([/^token=\S+/y, /Key \w+/gi])
    expect(redactor.text('token=1 token=2\ntoken=3\nkey abc')).toBe('[redacted] token=2\n[redacted]\n[redacted]')
  })
})

describe('a redacted stream', () => {
  const unit = fc.constantFrom('a', 'b', 'ab', 'é', '\n', 'x', '1')
  const secrets = fc.array(fc.string({ unit, minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 })

  test('has the same result for every division into chunks', () => {
    fc.assert(
      fc.property(secrets, fc.string({ unit, maxLength: 60 }), fc.array(fc.nat(120)), (texts, whole, cuts) => {
        const redactor = new Redactor(texts)
        const bytes = Buffer.from(whole)
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
        expect(streamed(redactor, pieces).toString()).toBe(redactor.text(whole))
      }),
      { numRuns: 2_000 },
    )
  })

  test('has the same result for every division into chunks with regular expressions', () => {
    const redactor = new Redactor([/\d+é?/, 'ab'])
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (whole, size) => {
        const bytes = Buffer.from(whole)
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        )
        expect(streamed(redactor, pieces).toString()).toBe(redactor.text(whole))
      }),
    )
  })

  test('holds back only a possible start of a secret', () => {
    const stream = new Redactor(['secret']).stream()
    const push = (text: string): string => Buffer.from(stream.push(Buffer.from(text))).toString()
    expect(push('a prompt# ')).toBe('a prompt# ')
    expect(push('sec')).toBe('')
    expect(push('ond')).toBe('second')
    expect(push('secre')).toBe('')
    expect(push('t!')).toBe('[redacted]!')
  })

  test('keeps bytes that are not text', () => {
    const bytes = Buffer.from([0xff, 0x00, 0xc3, 0x0a, 0x1b, 0x5b, 0x80])
    expect(streamed(new Redactor(['x', /\d/]), [bytes])).toEqual(bytes)
  })
})
