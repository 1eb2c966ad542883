import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Transcript } from './transcript.ts'

let directory = ''
let file = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'transcript-'))
  file = join(directory, 'console.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (data: Uint8Array): string => Buffer.from(data).toString()

test('writes every byte to disk at once, readable only by this user', () => {
  const transcript = new Transcript({ file: { path: file } })
  const invalid = Uint8Array.of(0xff, 0x00, 0x1b, 0x5b, 0xc3)
  transcript.write(invalid)
  expect(readFileSync(file)).toEqual(Buffer.from(invalid))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(`${file}.timing`).mode & 0o777).toBe(0o600)
  transcript.close()
})

test('replaces an existing log, and makes it private', () => {
  writeFileSync(file, 'something much longer than the new one', { mode: 0o644 })
  const transcript = new Transcript({ file: { path: file } })
  transcript.write(bytes('new'))
  transcript.close()
  expect(readFileSync(file, 'utf8')).toBe('new')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('writes the time of each piece to the timing file', () => {
  let time = 1000
  const transcript = new Transcript({ file: { path: file }, now: () => time })
  time += 250
  transcript.write(bytes('abc'))
  time += 1500
  transcript.write(bytes('de'))
  transcript.close()
  expect(readFileSync(`${file}.timing`, 'utf8')).toBe('0.250000 3\n1.500000 2\n')
  expect(transcript.lastByteAt).toBe(2750)
  expect(transcript.bytes).toBe(5)
})

test('combines single bytes to one piece, and writes its time soon after', async () => {
  let time = 0
  const transcript = new Transcript({ file: { path: file }, now: () => time })
  const changes = watch(`${file}.timing`)
  for (const at of [10, 11, 14, 15, 30]) {
    time = at
    transcript.write(bytes('x'))
  }
  expect(readFileSync(`${file}.timing`, 'utf8')).toBe('0.010000 3\n0.005000 1\n')
  const last = '0.015000 1\n'
  while (!readFileSync(`${file}.timing`, 'utf8').endsWith(last)) await once(changes, 'change')
  changes.close()
  transcript.close()
})

test.skipIf(!existsSync('/usr/bin/scriptreplay'))('scriptreplay (where installed) plays it', async () => {
  const transcript = new Transcript({ file: { path: file } })
  for (const line of ['one\r\n', 'two\r\n', 'three\r\n']) transcript.write(bytes(line))
  transcript.close()
  // scriptreplay skips the first line as a header, as documented.
  const played = join(directory, 'with-header')
  writeFileSync(played, `\n${readFileSync(file, 'utf8')}`)
  const { stdout } = await promisify(execFile)('/usr/bin/scriptreplay', [`${file}.timing`, played])
  expect(stdout).toContain('one\r\ntwo\r\nthree\r\n')
})

describe('a log that would be too long', () => {
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, index) => `line ${String(from + index).padStart(4, '0')}\n`).join('')

  test('has the beginning and the end, and the number of omitted bytes', () => {
    let time = 0
    const transcript = new Transcript({ file: { path: file, maxBytes: 1000 }, now: () => time })
    for (let line = 0; line < 1000; line++) {
      time += 10
      transcript.write(bytes(lines(line, line + 1)))
    }
    const cut = '\n[the log is cut here: its limit is 1000 bytes; the end of the output follows]\n'
    // The files as after a kill of the process.
    expect(readFileSync(file, 'utf8')).toBe(`${lines(0, 75)}${cut}`)
    expect(transcript.leftOut).toBe(9000)
    transcript.close()
    const log = readFileSync(file, 'utf8')
    expect(log).toBe(`${lines(0, 75)}${cut}\n[9000 bytes are left out here]\n${lines(975, 1000)}`)
    const timing = readFileSync(`${file}.timing`, 'utf8').trim().split('\n')
    const times = timing.map((line) => line.split(' ').map(Number))
    expect(times.reduce((sum, [, length = 0]) => sum + length, 0)).toBe(log.length)
    expect(times.reduce((sum, [seconds = 0]) => sum + seconds, 0)).toBeCloseTo(10)
    expect(transcript.complete).toBe(false)
    expect(transcript.read()).toBeUndefined()
    expect(transcript.bytes).toBe(10_000)
  })

  test('is complete as long as it fits', () => {
    const transcript = new Transcript({ file: { path: file, maxBytes: 1000 } })
    for (let line = 0; line < 100; line++) transcript.write(bytes(lines(line, line + 1)))
    expect(Array.from(transcript.read() ?? [], text).join('')).toBe(lines(0, 100))
    transcript.close()
    expect(readFileSync(file, 'utf8')).toBe(lines(0, 100))
    expect(Array.from(transcript.read() ?? [], text).join('')).toBe(lines(0, 100))
  })
})

test('a filter changes only the log', () => {
  let held = ''
  const filter = {
    push: (chunk: Uint8Array) => {
      const whole = held + text(chunk)
      held = whole.slice(-1)
      return bytes(whole.slice(0, -1).toUpperCase())
    },
    end: () => bytes(held.toUpperCase()),
  }
  const transcript = new Transcript({ file: { path: file, filter: () => filter }, now: () => 0 })
  transcript.write(bytes('ab'))
  transcript.write(bytes('cd'))
  expect(readFileSync(file, 'utf8')).toBe('ABC')
  expect(text(transcript.tail())).toBe('abcd')
  expect(transcript.read()).toBeUndefined()
  transcript.close()
  expect(readFileSync(file, 'utf8')).toBe('ABCD')
  expect(readFileSync(`${file}.timing`, 'utf8').match(/ \d+/g)).toEqual([' 4'])
})

test.skipIf(!existsSync('/dev/full'))('a full disk (Linux has one at /dev/full) costs the log, not the machine', () => {
  symlinkSync('/dev/full', file)
  const warnings: string[] = []
  const transcript = new Transcript({ file: { path: file }, onWarning: (message) => warnings.push(message) })
  transcript.write(bytes('one '))
  transcript.write(bytes('two'))
  expect(warnings).toEqual([expect.stringMatching(/console\.log is incomplete: ENOSPC/)])
  expect(text(transcript.tail())).toBe('one two')
  expect(transcript.complete).toBe(false)
})

test('warns once if a log cannot be created', () => {
  const warnings: string[] = []
  writeFileSync(file, '')
  const transcript = new Transcript({
    file: { path: join(file, 'log') },
    onWarning: (message) => warnings.push(message),
  })
  transcript.write(bytes('abc'))
  transcript.close()
  expect(warnings).toEqual([expect.stringMatching(/ENOTDIR|EEXIST/)])
  expect(text(transcript.tail(2))).toBe('bc')
})

test('limits the tail for any chunks', () => {
  for (const size of [1, 7, 100, 5000]) {
    const transcript = new Transcript({ tailBytes: 1000 })
    let whole = ''
    for (let count = 0; whole.length < 12_000; count++) {
      const piece = String.fromCharCode(97 + (count % 26)).repeat(size)
      whole += piece
      transcript.write(bytes(piece))
    }
    expect(text(transcript.tail())).toBe(whole.slice(-1000))
  }
})

test('the log can be read back while it is written', () => {
  const transcript = new Transcript({ file: { path: file } })
  transcript.write(bytes('abc'))
  expect(Array.from(transcript.read() ?? [], text).join('')).toBe('abc')
  transcript.write(bytes('def'))
  expect(Array.from(transcript.read() ?? [], text).join('')).toBe('abcdef')
  rmSync(file)
  expect(transcript.read()).toBeUndefined()
  transcript.close()
})

test('holds output back from the log, and writes it later or never', () => {
  let time = 0
  const transcript = new Transcript({ file: { path: file }, now: () => time })
  transcript.write(bytes('a'))
  const kept = transcript.hold()
  time = 1000
  transcript.write(bytes('b'))
  expect(readFileSync(file, 'utf8')).toBe('a')
  kept.end(true)
  expect(readFileSync(file, 'utf8')).toBe('ab')
  expect(transcript.complete).toBe(true)

  const dropped = transcript.hold()
  transcript.write(bytes('c'))
  dropped.end(false)
  transcript.write(bytes('d'))
  expect(transcript.complete).toBe(false)
  const last = transcript.hold()
  transcript.write(bytes('e'))
  transcript.close()
  last.end(false)
  expect(readFileSync(file, 'utf8')).toBe('abde')
  expect(readFileSync(`${file}.timing`, 'utf8')).toBe('0.000000 1\n1.000000 3\n')
  expect(transcript.bytes).toBe(5)
})
