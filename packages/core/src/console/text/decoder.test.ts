import fc from 'fast-check'
import stripAnsi from 'strip-ansi'
import { describe, expect, test } from 'vitest'
import { CleanText } from './decoder.ts'

function clean(...pieces: readonly string[]): string {
  const decoder = new CleanText()
  return pieces.map((piece) => decoder.push(piece)).join('') + decoder.end()
}

function cut(text: string, places: readonly number[]): string[] {
  const sorted = [0, ...places.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b)
  return sorted.slice(1).map((end, index) => text.slice(sorted[index], end))
}

const number = fc.nat(9999).map(String)
const plain = fc.string({ unit: fc.constantFrom('a', 'Z', '0', ';', '[', ' ', 'é', '😀', '\t'), maxLength: 8 })
const lineEnd = fc.constantFrom('\n', '\r\n', '\r\r\n', '\r')
const wellFormed = fc.oneof(
  fc
    .tuple(fc.constantFrom('\x1b[', '\x9b'), fc.array(number, { maxLength: 4 }), fc.constantFrom(...'ABCDHJKfhlmnsu'))
    .map(([start, parameters, final]) => start + parameters.join(';') + final),
  fc
    .tuple(fc.constantFrom('?25', '?2004', '?1049'), fc.constantFrom('h', 'l'))
    .map(([mode, set]) => `\x1b[${mode}${set}`),
  fc
    .tuple(number, plain, fc.constantFrom('\x07', '\x1b\\', '\x9c'))
    .map(([command, text, end]) => `\x1b]${command};${text}${end}`),
  fc.constantFrom('\x1b(B', '\x1b)0', '\x1b=', '\x1b>', '\x1bM', '\x1b7', '\x1b8', '\x1bc'),
)

/** The rows of a wide terminal that supports backspaces and erasing to the end of a row. */
function screen(text: string): string[] {
  return text.split('\n').map((row) => {
    const cells: string[] = []
    let column = 0
    for (const [part] of row.matchAll(/\x1b\[K|[^]/g)) {
      if (part === '\b') column = Math.max(0, column - 1)
      else if (part === '\x1b[K') cells.length = Math.min(column, cells.length)
      else cells[column++] = part
    }
    return cells.join('')
  })
}

describe('clean text', () => {
  test('is that of strip-ansi, with \\n as the line end', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(plain, lineEnd, wellFormed), { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        expect(clean(text)).toBe(stripAnsi(text).replace(/\r+\n/g, '\n'))
      }),
      { numRuns: 5000 },
    )
  })

  test('is the same for any chunks, including malformed sequences', () => {
    const unit = fc.constantFrom(...'\x1b\x1b\x1b[]P\\^_X(#m;1?RP0f\x07\x18\x1a\x7f\x80\x90\x9b\x9c\x9d\r\r\nab é')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), fc.array(fc.nat(100), { maxLength: 10 }), (text, places) => {
        expect(clean(...cut(text, places))).toBe(clean(text))
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    ['a NUL, BEL, SO, SI and DEL', 'lo\0g\x07i\x0en\x0f:\x7f ', 'login: '],
    ['control characters within a sequence', '\x1b[1\0\x07mbold', 'bold'],
    ["U-Boot's countdown", 'autoboot:  3 \b\b\b 2 \b\b\b 1 ', 'autoboot:  3 \rautoboot:  2 \rautoboot:  1 '],
    ['a row that is written over with the same', 'abc\b\b\babc$ ', 'abc$ '],
    ['a character that a line editor rubs out', 'ls x\b \b-l\r\n', 'ls x\rls  \rls -l\n'],
    ['a row that is erased', '# ls -l\b\b\x1b[K\r\n', '# ls -l\r# ls \n'],
    ['a row that is erased and goes on', '# lx\b\x1b[Js', '# lx\r# ls'],
    ['the rest of a row that was changed', 'abc\b\b\bX\r\n', 'abc\rXbc\n'],
    ['backspaces at the start of a row', 'a\n\b\bb', 'a\nb'],
    ['backspaces after a carriage return', 'a\r\bb', 'a\rb'],
  ])('has %s as a person sees it', (_what, raw, expected) => {
    expect(clean(raw)).toBe(expected)
    expect(clean(...raw)).toBe(expected)
  })

  test('ends each row like a terminal, for any chunks', () => {
    const unit = fc.constantFrom('a', 'b', 'c', '\b', '\b', '\n', '\x1b[K')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), fc.array(fc.nat(100), { maxLength: 5 }), (text, places) => {
        const shown = clean(text)
        expect(clean(...cut(text, places))).toBe(shown)
        const rows = shown.split('\n').map((row) => row.split('\r').at(-1))
        // The text of a row that was erased completely stays in the view.
        expect(rows).toEqual(screen(text).map((row, index) => (row === '' ? rows[index] : row)))
      }),
      { numRuns: 5000 },
    )
  })

  test('never contains a control character that starts a sequence', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xff).map((code) => String.fromCharCode(code)), maxLength: 80 }), (text) => {
        expect(clean(text)).not.toMatch(/[\x1b\x80-\x9f]/)
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    [
      'escape codes around the prompt of a shell',
      '\x1b[?2004h\x1b[01;32mroot@vm\x1b[00m:\x1b[01;34m~\x1b[00m# ',
      'root@vm:~# ',
    ],
    ['the cursor query of busybox', '/ # \x1b[6n', '/ # '],
    ['line ends of nested terminals', 'one\r\r\ntwo\r\nthree\n', 'one\ntwo\nthree\n'],
    ["a progress bar's carriage returns", '10%\r20%\rdone\r\n', '10%\r20%\rdone\n'],
    ['a carriage return at the very end', 'done\r', 'done\r'],
    ['a line end that a sequence interrupts', 'done\r\x1b[K\n', 'done\n'],
    ['a title that a string terminator ends', '\x1b]0;vm: ~\x1b\\ok', 'ok'],
    ['a device string', '\x1bP1$r0m\x1b\\ok', 'ok'],
    ["the Linux console's palette, which has no terminator", '\x1b]P0102030ok\x1b]Rok', 'okok'],
    ['a sequence given up with CAN', '\x1b[31\x18ok', 'ok'],
    ['a sequence that another one cuts off', '\x1b[31\x1b[0mok', 'ok'],
    ['a string that another sequence cuts off', '\x1b]0;title\x1b[0mok', 'ok'],
    ['a line end inside a sequence, as a terminal shows it', 'a\x1b[3\r\n1mb', 'a\nb'],
    ['a letter that cannot be in a sequence', '\x1b[3é', 'é'],
  ])('of %s', (_what, raw, text) => {
    expect(clean(raw)).toBe(text)
    expect(clean(...raw)).toBe(text)
  })

  test.each([
    ['title', '\x1b]0;'],
    ['device string', '\x1bP'],
    ['control sequence', '\x1b['],
  ])('comes back when a %s has lost its end', (_what, start) => {
    expect(clean(start, '1'.repeat(10_000), ' login: ')).toMatch(/ login: $/)
  })

  test('passes a flood of carriage returns', () => {
    expect(clean('\r'.repeat(5000))).toBe('\r'.repeat(5000))
  })

  test('continues from a clone like the original', () => {
    const original = new CleanText()
    original.push('a\r\x1b[3')
    const copy = original.clone()
    expect(original.push('1mb')).toBe('\rb')
    expect(copy.push('2K\nc')).toBe('\nc')
  })
})
