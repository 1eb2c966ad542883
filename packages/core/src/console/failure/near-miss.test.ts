import { expect, test } from 'vitest'
import type { Pattern } from '../match/pattern.ts'
import { makeRegExpTimeout } from '../match/regexp/regexp-timeout.ts'
import { ConsoleText } from '../text/console-text.ts'
import { nearMiss, type Searched } from './near-miss.ts'

function searched(raw: string, more: Partial<Searched> = {}): Searched {
  const text = new ConsoleText()
  text.append(raw)
  text.finish()
  const view = (name: Searched['view']): string => text.view(name).slice(0)
  return { clean: view('clean'), raw, userspace: view('userspace'), consumed: '', view: 'clean', ...more }
}

test.each<
  [what: string, pattern: Pattern, raw: string, more: Partial<Searched>, hint: RegExp, text: string | undefined]
>([
  ['another case', 'Login: ', 'box login: ', {}, /only in upper and lower case/, 'login: '],
  ['another case of an expression', /^READY/m, 'ready\n', {}, /only in upper and lower case/, 'ready'],
  ['other blanks', 'eth0: link up', 'eth0:  link\tup\n', {}, /only in spaces, tabs or line ends/, 'eth0:  link\tup'],
  ['escape codes in the pattern', '\x1b[1mroot#', 'root# ', {}, /Remove them from the pattern/, 'root#'],
  ['a line end with \\r', 'done\r\n', 'x done\n', {}, /Remove them from the pattern/, 'done\n'],
  ['escape codes awaited in clean text', '\x1b[32mok', '\x1b[32mok\x1b[0m', {}, /\{ view: "raw" \}/, '\x1b[32mok'],
  [
    'clean text awaited among escape codes',
    'all ok',
    'all \x1b[32mok',
    { view: 'raw' },
    /Remove `view: "raw"`/,
    'all ok',
  ],
  [
    'the kernel in the middle',
    'hello',
    'hel[   12.345678] eth0: up\r\nlo\r\n',
    {},
    /Kernel messages interrupt the output.*view: "userspace"/,
    'hello',
  ],
  [
    'an expression in a string',
    'inet \\d+',
    'inet 10',
    {},
    /As a regular expression, \/inet \\d\+\/, it would match/,
    'inet 10',
  ],
  ['a string in an expression', /a (b) c?/, 'a (b) c?\n', {}, /Escape its special characters/, 'a (b) c?'],
  ['consumed output', 'ready', '# ', { consumed: 'ready\n# ' }, /before the previous match/, 'ready'],
  ['a typo', 'hello-world', 'one\nhelo-world\ntwo\n', {}, /\(1 character differs\)\. Did you mean/, 'helo-world'],
  [
    'a typo inside a line',
    'Welcome to Debain',
    'x\n** Welcome to Debian 12 **\n',
    {},
    /2 characters differ/,
    '** Welcome to Debian 12 **',
  ],
  [
    'its beginning',
    'result: 42 apples',
    'the result: 7\n',
    {},
    /Only the beginning of the pattern was printed, "result: "/,
    'the result: 7',
  ],
])('%s is told', (_what, pattern, raw, more, hint, text) => {
  const miss = nearMiss(pattern, searched(raw, more), makeRegExpTimeout())
  expect(miss?.hint).toMatch(hint)
  expect(miss?.text).toBe(text)
})

test('returns nothing if no output is similar', () => {
  expect(nearMiss('login: ', searched('compiling\nlinking\n'), makeRegExpTimeout())).toBeUndefined()
  expect(nearMiss(/\d{3}/, searched('compiling\n'), makeRegExpTimeout())).toBeUndefined()
})
