import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UserspaceText } from './userspace-text.ts'

function lifted(pieces: readonly string[]): string {
  const view = new UserspaceText()
  return pieces.map((piece) => view.push(piece)).join('') + view.end()
}

describe('the output of programs', () => {
  test.each<[what: string, raw: string, text: string]>([
    ['lines of the kernel go', 'a\r\n[    1.234567] usb 1-1: new device\r\nb\r\n', 'a\nb\n'],
    ['a line that one cut in two is whole again', 'hel[   12.345678] eth0: link up\r\nlo\r\n', 'hello\n'],
    [
      'several in a row too',
      'hel[   12.345678] one\r\n[   12.345679] two\r\n[   12.345680]  three\r\nlo\r\n',
      'hello\n',
    ],
    ['levels and callers go with them', '$ <6>[12345.678901][    T1] x\r\n<4>[    0.000000] y\r\nls', '$ ls'],
    ['colours do not hide them', '\x1b[1mhel\x1b[0m\x1b[32m[   12.345678]\x1b[0m up\r\nlo', 'hello'],
    ['keeps text that is similar to a kernel line', '[1]+ Done [ 12.345678] x\n[12.5] y [   12.3456789] z\n', ''],
    ['keeps a quoted kernel line', 'echo "[   12.345678] x"\n', 'echo "[   12.345678] x"\n'],
    ['a message that is not over goes too', 'ok\n[   12.345678] half', 'ok\n'],
    ['half a stamp at the end stays', 'ok [   12.34', 'ok [   12.34'],
  ])('%s', (_what, raw, text) => {
    expect(lifted([raw])).toBe(text === '' ? raw : text)
  })

  test('is the same for any chunks, and has no part of a message', () => {
    const unit = fc.constantFrom(
      ...[
        'a',
        'b\r\n',
        '[',
        ']',
        ' ',
        '   12',
        '.345678',
        '[   12.345678] ',
        'k\r\n',
        '<6>',
        '[  T12]',
        '"',
        '\x1b[1m',
      ],
    )
    const text = fc.array(unit, { maxLength: 24 }).map((units) => units.join(''))
    fc.assert(
      fc.property(text, fc.array(fc.nat(200), { maxLength: 10 }), (raw, places) => {
        const cuts = [0, ...places.map((place) => place % (raw.length + 1)), raw.length].sort((a, b) => a - b)
        const pieces = cuts.slice(1).map((end, index) => raw.slice(cuts[index], end))
        expect(lifted(pieces)).toBe(lifted([raw]))
      }),
      { numRuns: 3000 },
    )
  })

  test('continues from a clone like the original', () => {
    const view = new UserspaceText()
    view.push('hel[   12.345')
    expect(view.clone().push('678] up\r\nlo')).toBe('lo')
    expect(view.push('67 no')).toBe('[   12.34567 no')
  })
})
