import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
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

test('every byte is on disk at once, readable by this user only', () => {
  const transcript = new Transcript({ file })
  const invalid = Uint8Array.of(0xff, 0x00, 0x1b, 0x5b, 0xc3)
  transcript.write(invalid)
  expect(readFileSync(file)).toEqual(Buffer.from(invalid))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(`${file}.timing`).mode & 0o777).toBe(0o600)
  transcript.close()
})

test('a log that was there is replaced, and made private', () => {
  writeFileSync(file, 'something much longer than the new one', { mode: 0o644 })
  const transcript = new Transcript({ file })
  transcript.write(bytes('new'))
  transcript.close()
  expect(readFileSync(file, 'utf8')).toBe('new')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('the time of each piece is beside it', () => {
  let time = 1000
  const transcript = new Transcript({ file, now: () => time })
  time += 250
  transcript.write(bytes('abc'))
  time += 1500
  transcript.write(bytes('de'))
  transcript.close()
  expect(readFileSync(`${file}.timing`, 'utf8')).toBe('0.250000 3\n1.500000 2\n')
  expect(transcript.lastByteAt).toBe(2750)
  expect(transcript.bytes).toBe(5)
})

test.skipIf(!existsSync('/usr/bin/scriptreplay'))('scriptreplay (where installed) plays it', async () => {
  const transcript = new Transcript({ file })
  for (const line of ['one\r\n', 'two\r\n', 'three\r\n']) transcript.write(bytes(line))
  transcript.close()
  // As the documentation says: the first line is taken for a header.
  const played = join(directory, 'with-header')
  writeFileSync(played, `\n${readFileSync(file, 'utf8')}`)
  const { stdout } = await promisify(execFile)('/usr/bin/scriptreplay', [`${file}.timing`, played])
  expect(stdout).toContain('one\r\ntwo\r\nthree\r\n')
})

test('the log stops at its cap, says so, and the tail goes on', () => {
  const transcript = new Transcript({ file, capBytes: 10, tailBytes: 8 })
  transcript.write(bytes('12345678'))
  expect(transcript.complete).toBe(true)
  transcript.write(bytes('abcdef'))
  transcript.write(bytes('ghi'))
  expect(readFileSync(file, 'utf8')).toBe(
    '12345678ab\n[the log ends here: it has reached 10 bytes, and the console printed more]\n',
  )
  expect(
    readFileSync(`${file}.timing`, 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1]),
  ).toEqual(['8', '2', undefined])
  expect(text(transcript.tail())).toBe('bcdefghi')
  expect(transcript.complete).toBe(false)
  expect(transcript.read()).toBeUndefined()
  expect(transcript.bytes).toBe(17)
})

test.skipIf(!existsSync('/dev/full'))('a full disk (Linux has one at /dev/full) costs the log, not the machine', () => {
  symlinkSync('/dev/full', file)
  const warnings: string[] = []
  const transcript = new Transcript({ file, onWarning: (message) => warnings.push(message) })
  transcript.write(bytes('one '))
  transcript.write(bytes('two'))
  expect(warnings).toEqual([expect.stringMatching(/console\.log is incomplete: ENOSPC/)])
  expect(text(transcript.tail())).toBe('one two')
  expect(transcript.complete).toBe(false)
})

test('a log that cannot be made costs one warning', () => {
  const warnings: string[] = []
  const transcript = new Transcript({
    file: join(directory, 'missing', 'log'),
    onWarning: (message) => warnings.push(message),
  })
  transcript.write(bytes('abc'))
  transcript.close()
  expect(warnings).toEqual([expect.stringContaining('ENOENT')])
  expect(text(transcript.tail(2))).toBe('bc')
})

test('the tail stays within its bound however the bytes come', () => {
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
  const transcript = new Transcript({ file })
  transcript.write(bytes('abc'))
  expect(Array.from(transcript.read() ?? [], text).join('')).toBe('abc')
  transcript.write(bytes('def'))
  expect(Array.from(transcript.read() ?? [], text).join('')).toBe('abcdef')
  rmSync(file)
  expect(transcript.read()).toBeUndefined()
  transcript.close()
})
