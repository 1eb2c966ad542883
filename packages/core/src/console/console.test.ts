import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { goneError, rejection, setUp } from '../../test/console-set-up.ts'
import { ExpectError, OptionError } from '../errors.ts'
import { Console } from './console.ts'
import { Transcript } from './log/transcript.ts'
import type { Pattern } from './match/pattern.ts'

describe('expect', () => {
  test('waits for what is printed later, and finds what was printed before', async () => {
    const { console, guest } = setUp()
    guest.write('booting\r\nvm login: ')
    await expect(console.expect('login: ')).resolves.toMatchObject({ text: 'login: ', before: 'booting\nvm ' })
    const later = console.expect(/uid=(?<uid>\d+)\((\w+)\)/)
    guest.write('uid=0(ro')
    guest.write('ot)\r\n')
    await expect(later).resolves.toMatchObject({ groups: { uid: '0' }, captures: ['0', 'root'], index: 0, dropped: 0 })
  })

  test('consumes up to the end of the match and no further', async () => {
    const { console, guest } = setUp()
    guest.write('one two three')
    expect((await console.expect('one')).before).toBe('')
    expect((await console.expect('three')).before).toBe(' two ')
  })

  test('matches clean text or the raw view, with one cursor', async () => {
    const { console, guest } = setUp()
    guest.write('\x1b[1mroot\x1b[0m# \x1b[6nls\r\n\x1b[34mbin\x1b[0m\r\n')
    expect((await console.expect('root# ')).text).toBe('root# ')
    expect((await console.expect('\x1b[34m', { view: 'raw' })).before).toBe('\x1b[6nls\r\n')
    expect((await console.expect('\n')).before).toBe('bin')
  })

  test('finds a line that a kernel message interrupts, with { view: "userspace" }', async () => {
    const { console, guest } = setUp()
    const [line, next] = [console.expect('hello world\n', { view: 'userspace' }), console.expect('last')]
    guest.write('hello [   12.345678] eth0: link up\r\nworld\r\n[   12.345679] last\r\n')
    expect((await line).before).toBe('')
    expect((await next).before).toBe('[   12.345679] ')
    expect(console.hasPrinted('eth0', { view: 'userspace' })).toBeUndefined()
    expect(console.hasPrinted('eth0')).toBeDefined()
  })

  test('never sees a part of an escape sequence or of a character', async () => {
    const { console, guest } = setUp()
    const match = console.expect(/\$ (.*) \$/)
    for (const byte of Buffer.from('$ \x1b[01;3')) guest.write(Buffer.of(byte))
    await new Promise((resolve) => setTimeout(resolve, 100))
    for (const byte of Buffer.from('2mgrün 😀\x1b[0m $')) guest.write(Buffer.of(byte))
    expect((await match).captures).toEqual(['grün 😀'])
  })

  test('reads invalid UTF-8 as U+FFFD', async () => {
    const { console, guest } = setUp()
    guest.write(Buffer.of(0x61, 0xff, 0x62, 0x0a))
    expect((await console.expect(/a.b/)).text).toBe('a\ufffdb')
  })

  test('finds a prompt without a line end once the console has paused', async () => {
    const { console, guest } = setUp()
    const match = console.expect(/[#$] $/)
    guest.write('$ echo done\r\n')
    guest.write('done\r\n/ # ')
    expect((await match).before).toBe('$ echo done\ndone\n/ ')
  })

  test('finds a prompt that was printed long ago', async () => {
    const { console, guest } = setUp()
    guest.write('/ # ')
    await console.expect('/ ')
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect((await console.expect(/# $/)).text).toBe('# ')
  })

  test('serves waits in the order of their calls', async () => {
    const { console, guest } = setUp()
    const [first, second, third] = [console.expect('b'), console.expect(/a\n/), console.expect('c')]
    guest.write('a1 b2 a\r\nc')
    expect((await first).before).toBe('a1 ')
    expect((await second).before).toBe('2 ')
    expect((await third).before).toBe('')
  })

  test('returns the same match for any chunks', async () => {
    const patterns: Pattern[][] = [
      ['ön\nc'],
      [/b+/, 'c\n'],
      [/\d(?<rest>[^]*?)x/],
      [/^.*$/m],
      [/[ab]$/],
      ['aa', /a+b/, 'ä'],
    ]
    const unit = fc.constantFrom('a', 'b', 'c', 'ö', '😀', 'n', '1', 'x', ' ', '\r\n', '\x1b[1;31m', '\x1b]0;b\x07')
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...patterns),
        fc.string({ unit, maxLength: 40 }),
        fc.array(fc.nat(300), { maxLength: 10 }),
        async (wanted, text, places) => {
          const whole = Buffer.from(text)
          const cuts = [0, ...places.map((place) => place % (whole.length + 1)), whole.length].sort((a, b) => a - b)
          const outcome = async (pieces: readonly Uint8Array[]): Promise<unknown> => {
            const { console, guest } = setUp()
            const match = console.expect(wanted)
            for (const piece of pieces) guest.write(piece)
            guest.end()
            await console.end(goneError)
            return match.catch((error: ExpectError) => error.code)
          }
          const pieces = cuts.slice(1).map((end, index) => whole.subarray(cuts[index], end))
          expect(await outcome(pieces.filter((piece) => piece.length > 0))).toEqual(await outcome([whole]))
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each<[what: string, pattern: unknown, options: unknown, message: RegExp]>([
    ['an empty pattern', '', {}, /empty string/],
    ['an empty list', [], {}, /list of patterns is empty/],
    ['a negative timeout', 'a', { timeout: -1 }, /`timeout` must be a number of milliseconds, 0 or more, but is -1/],
    ['a timeout that is no number', 'a', { timeout: Number.NaN }, /`timeout` must be .* NaN/],
    ['an idle timeout of 0', 'a', { idleTimeout: 0 }, /`idleTimeout` must be .* above 0/],
    ['an unknown option', 'a', { timeOut: 5 }, /Unknown option `timeOut`; did you mean `timeout`\?/],
    [
      'a view that there is not',
      'a',
      { view: 'console' },
      /`view` must be one of clean, raw, userspace, but is "console"/,
    ],
    ['a signal that is none', 'a', { signal: {} }, /`signal` must be an AbortSignal/],
    ['an object that is not an AbortSignal', 'a', { signal: { aborted: false } }, /`signal` must be an AbortSignal/],
  ])('refuses %s', async (_what, pattern, options, message) => {
    const { console } = setUp()
    // A caller without types may pass anything.
    const call = console.expect.bind(console) as (...args: unknown[]) => Promise<unknown>
    const error: unknown = await call(pattern, options).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(OptionError)
    expect(String(error)).toMatch(message)
    expect(console.pendingWaits).toEqual([])
  })
})

test.each([[undefined], [42], [['a']]])('does not send a value that is neither text nor bytes: %j', (data) => {
  const { console } = setUp()
  // A caller without types may pass anything.
  const send = console.send.bind(console) as (data: unknown) => void
  expect(() => send(data)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})

describe('a timeout', () => {
  test('the error of a timeout names the pattern, the output and the log, and nothing is consumed', async () => {
    const { console, guest } = setUp()
    guest.write('\x1b[1mhello\x1b[0m\r\nhallo-\x0742')
    const error = await rejection(console.expect(['hello-42', /bye/], { timeout: 30 }))
    expect(error.code).toBe('EXPECT_TIMEOUT')
    expect(error.message).toMatch(
      /^"vm" did not print any of "hello-42", \/bye\/ within [\d.]+ m?s: last byte [\d.]+ m?s ago, 24 bytes since the start, 14 characters since the previous match\n/,
    )
    expect(error.message).toContain(
      '\n\nEnd of the console:\n  hello\n  hallo-42\n\nCommand line:\n  qemu-system-x86_64',
    )
    expect(error.message).toMatch(/\n\nLog:\n {2}\/tmp\/vm\/console\.log$/)
    expect((await console.expect('hello')).before).toBe('')
  })

  test('a timeout of a machine that never printed says 0 bytes and what to check', async () => {
    const error = await rejection(setUp().console.expect('login: ', { timeout: 10 }))
    expect(error.shortMessage).toMatch(/printed nothing \(0 bytes\)$/)
    expect(error.hint).toMatch(/`console=ttyS0`.*built for x86_64/)
  })

  test("has the caller's line in its stack", async () => {
    const error = await rejection(setUp().console.expect('x', { timeout: 1 }))
    expect(error.stack?.split('\n').find((line) => line.startsWith('    at '))).toContain('console.test.ts')
  })

  test('counts from the call, also while another wait is served first', async () => {
    const { console, guest } = setUp()
    const first = console.expect('a')
    const error = await rejection(console.expect('b', { timeout: 20 }))
    expect(error.shortMessage).toMatch(/an earlier wait, for "a", was still pending$/)
    guest.write('ba')
    expect((await first).before).toBe('b')
  })

  test('accepts a match that could have become longer', async () => {
    const { console, guest } = setUp()
    guest.write('inet 10.0.0.1')
    expect((await console.expect(/inet [\d.]+/, { timeout: 60 })).text).toBe('inet 10.0.0.1')
  })

  test('a timeout of 0 searches only the output so far', async () => {
    const { console, guest } = setUp()
    guest.write('here')
    expect((await console.expect('here', { timeout: 0 })).text).toBe('here')
    expect((await rejection(console.expect('there', { timeout: 0 }))).code).toBe('EXPECT_TIMEOUT')
  })

  test('is multiplied once', async () => {
    const scaled: number[] = []
    const { console } = setUp({
      scale: (milliseconds) => {
        scaled.push(milliseconds)
        return milliseconds / 1000
      },
    })
    await rejection(console.expect('x', { timeout: 5000 }))
    expect(scaled.filter((milliseconds) => milliseconds === 5000)).toHaveLength(1)
  })

  test('works under fake timers', async () => {
    vi.useFakeTimers()
    try {
      expect((await rejection(setUp().console.expect('x', { timeout: 5 }))).code).toBe('EXPECT_TIMEOUT')
    } finally {
      vi.useRealTimers()
    }
  })

  test('a timeout of silence counts from the last byte', async () => {
    const { console, guest } = setUp()
    let written = 0
    const ticking = setInterval(() => guest.write(`${written++} `), 10)
    const wait = rejection(console.expect('never', { idleTimeout: 150 }))
    await console.expect('nothing yet', { timeout: 0 }).catch(() => {})
    setTimeout(() => clearInterval(ticking), 300)
    const error = await wait
    expect(error.shortMessage).toMatch(
      /^"vm" printed nothing for \d{3} ms while "never" was awaited \([\d.]+ m?s so far\)/,
    )
    expect(written).toBeGreaterThan(5)
  })
})

describe('an abort', () => {
  test('rejects the wait with the reason of the signal, and continues with the next one', async () => {
    const { console, guest } = setUp()
    const controller = new AbortController()
    const aborted = rejection(console.expect('never', { signal: controller.signal }))
    const next = console.expect('ok')
    const reason = new Error('test timed out')
    controller.abort(reason)
    guest.write('ok')
    const error = await aborted
    expect(error.code).toBe('EXPECT_ABORTED')
    expect(error.shortMessage).toMatch(/^The wait for "never" on "vm" was aborted after .*: test timed out/)
    expect(error.cause).toBe(reason)
    expect((await next).text).toBe('ok')
  })

  test('before the call rejects at once', async () => {
    const { console } = setUp()
    expect((await rejection(console.expect('x', { signal: AbortSignal.abort() }))).code).toBe('EXPECT_ABORTED')
    expect(console.pendingWaits).toEqual([])
  })
})

describe('hasPrinted', () => {
  test('searches all output so far, consumed or not, and consumes nothing', async () => {
    const { console, guest } = setUp()
    guest.write('booting\r\nvm login: ')
    await console.expect('login')
    expect(console.hasPrinted('booting')?.text).toBe('booting')
    expect(console.hasPrinted(/login: $/)?.before).toBe('booting\nvm ')
    expect(console.hasPrinted('\r\n', { view: 'raw' })?.before).toBe('booting')
    expect(console.hasPrinted('panic')).toBeUndefined()
    expect((await console.expect(': ')).before).toBe('')
  })

  test('finds output in the log that is no longer in memory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'console-'))
    const transcript = new Transcript({ file: { path: join(directory, 'log') } })
    const { console, guest } = setUp({ transcript, keep: 1000 })
    guest.write('\x1b[1mfirst\x1b[0m words\r\n')
    for (let count = 0; count < 10; count++) guest.write(`${'x'.repeat(10_000)}\r\n`)
    await console.expect(/x\n$/)
    expect(console.text()).not.toContain('first')
    expect(console.hasPrinted('first words')).toMatchObject({ before: '', dropped: 0 })
    expect(console.hasPrinted('\x1b[0m words', { view: 'raw' })?.before).toBe('\x1b[1mfirst')
    expect(console.hasPrinted('other words')).toBeUndefined()
    transcript.close()
    rmSync(directory, { recursive: true })
  })

  test('throws if the output is no longer complete', async () => {
    const { console, guest } = setUp({ keep: 1000 })
    guest.write('first words\r\n')
    for (let count = 0; count < 10; count++) guest.write(`${'x'.repeat(10_000)}\r\n`)
    await console.expect(/x\n$/)
    expect(console.hasPrinted('xxx')?.dropped).toBeGreaterThan(0)
    expect(() => console.hasPrinted('first words')).toThrow(/"first words" is not in the kept part.*are no longer kept/)
  })
})

test('output recorded in a template is searched by hasPrinted, but consumed', async () => {
  const [host, guest] = duplexPair()
  const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 20_000 })
  console.recall(Buffer.from('\x1b[1mbooting\r\nready # '))
  console.attach(host)
  expect(console.hasPrinted('booting')?.text).toBe('booting')
  const match = console.expect(/\w+/)
  guest.write('uname\r\n')
  expect(await match).toMatchObject({ text: 'uname', before: '' })
  expect(console.text()).toBe('booting\nready # uname\n')
})

test('a pattern that backtracks too much rejects its wait, and the next one continues', async () => {
  const { console, guest } = setUp({ scale: (milliseconds) => milliseconds / 20 })
  const slow = console.expect(/(a+)+$/m, { timeout: 100_000 })
  const next = console.expect('ab')
  guest.write(`${'a'.repeat(40)}b\r\n`)
  const error = await rejection(slow)
  expect(error.code).toBe('PATTERN_TOO_SLOW')
  expect(error.message).toMatch(/^The pattern \/\(a\+\)\+\$\/m took more than .*[^]*End of the console:\n {2}a+b/)
  expect((await next).text).toBe('ab')
})
