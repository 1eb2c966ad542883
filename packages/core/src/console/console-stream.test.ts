import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { buffer as readAll } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { goneError, rejection, setUp } from '../../test/console-set-up.ts'
import { MachineError } from '../errors.ts'
import { Console } from './console.ts'
import { Transcript } from './log/transcript.ts'

describe('the end of the machine', () => {
  test('comes after the rest of the output is searched', async () => {
    const { console, guest } = setUp()
    const last = console.expect('last words')
    const never = console.expect('never')
    const ended = console.end(goneError)
    guest.end('some last words\r\nPower down')
    await ended
    expect((await last).before).toBe('some ')
    const error = await rejection(never)
    expect(error.code).toBe('EXPECT_EXITED')
    expect(error.shortMessage).toMatch(
      /^"vm" ended before it printed "never": QEMU exited with code 0 \(guest-shutdown\)/,
    )
    expect(error.message).toMatch(/End of the console:\n {2}some last words\n {2}Power down/)
    expect(error.message).toContain('\n\nQEMU printed:\n  qemu: terminating')
    expect(error.cause).toBeInstanceOf(MachineError)
  })

  test('resolves matches that could have become longer, and text that was held back', async () => {
    const { console, guest } = setUp()
    const code = console.expect(/code \d+\r/)
    guest.end('code 12\r')
    await console.end(goneError)
    expect((await code).text).toBe('code 12\r')
  })

  test('leaves the rest for later waits, and rejects those that do not match', async () => {
    const { console, guest } = setUp()
    guest.end('one two')
    await console.end(goneError)
    await console.end(goneError)
    expect((await console.expect('one')).text).toBe('one')
    expect((await rejection(console.expect('three'))).code).toBe('EXPECT_EXITED')
    expect((await console.expect(/\w+$/)).text).toBe('two')
  })

  test('makes send throw', async () => {
    const { console, guest } = setUp()
    guest.end()
    await console.end(goneError)
    expect(() => console.send('x')).toThrow(MachineError)
    expect(() => console.send('x')).toThrow(/QEMU exited with code 0/)
  })

  test('does not end the process when a wait was forgotten', async () => {
    const { console, guest } = setUp()
    const forgotten = console.expect('never')
    expect(console.pendingWaits).toEqual([
      {
        pattern: '"never"',
        sinceMs: expect.any(Number),
        location: expect.stringMatching(/console-stream\.test\.ts:\d+:\d+$/),
      },
    ])
    guest.end()
    await console.end(goneError)
    // Vitest fails the run on an unhandled rejection, which would have been reported by now.
    await new Promise((resolve) => setImmediate(resolve))
    expect(console.pendingWaits).toEqual([])
    await rejection(forgotten)
  })
})

describe('over a socket', () => {
  let directory = ''
  let server: net.Server
  let host: net.Socket
  let guest: net.Socket
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'console-'))
    const path = join(directory, 's')
    const connected = Promise.withResolvers<net.Socket>()
    server = net.createServer(connected.resolve).listen(path)
    host = net.connect(path)
    guest = await connected.promise
  })
  afterEach(() => {
    host.destroy()
    guest.destroy()
    server.close()
    rmSync(directory, { recursive: true })
  })

  test('a connection that is reset is the end of the output', async () => {
    const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 20_000 })
    console.attach(host)
    const last = console.expect('bye')
    // A guest that ends with unread input resets the connection.
    guest.pause()
    console.send('unread')
    await console.drained()
    guest.write('good bye', () => guest.destroy())
    await console.end(goneError)
    expect((await last).before).toBe('good ')
  })

  test('the last output is read although a write to the ended machine fails', async () => {
    const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 20_000 })
    const words = 'x'.repeat(50_000)
    guest.end(words)
    guest.destroySoon()
    await new Promise((resolve) => guest.once('close', resolve))
    // This write fails, because the other end is already closed. Its output was not read yet.
    console.attach(host)
    console.send('a')
    await console.end(goneError)
    expect(console.text() === words).toBe(true)
    await expect(console.drained()).rejects.toThrow(/"vm": its console accepts no more input/)
  })

  test('a flood is always read, without blocking the event loop', async () => {
    const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 20_000, keep: 100_000 })
    console.attach(host)
    const line = Buffer.from('[   12.345678] a line of the kernel that says nothing of interest\r\n'.repeat(500))
    let turns = 0
    const turning = setInterval(() => turns++, 1)
    const wait = console.expect(/the end (\d+)/)
    for (let count = 0; count < 300; count++) {
      if (!guest.write(line)) await new Promise((resolve) => guest.once('drain', resolve))
    }
    guest.write('the end 42\r\n')
    const match = await wait
    clearInterval(turning)
    expect(match.captures).toEqual(['42'])
    expect(turns).toBeGreaterThan(0)
    expect(match.before.length).toBeLessThan(300_000)
    expect(match.dropped + match.before.length).toBe(300 * line.toString().replaceAll('\r', '').length)
  })

  test('output is read without a wait', async () => {
    const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 20_000 })
    console.attach(host)
    await new Promise((resolve) => guest.end(Buffer.alloc(8 * 2 ** 20, 'x'), () => resolve(undefined)))
    await console.end(goneError)
    expect(console.text().length).toBe(8 * 2 ** 20)
  })

  test('input arrives complete and in order, strings as UTF-8 and bytes unchanged', async () => {
    const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 20_000 })
    console.attach(host)
    const received = readAll(guest)
    const long = 'line\n'.repeat(200_000)
    console.send('grün\n')
    console.send(Uint8Array.of(0xff, 0x03))
    console.send(long)
    await console.drained()
    host.end()
    expect((await received).equals(Buffer.concat([Buffer.from('grün\n'), Buffer.of(0xff, 3), Buffer.from(long)]))).toBe(
      true,
    )
  })
})

describe('a flood', () => {
  test('a flood that exceeds the memory is mentioned in the timeout', async () => {
    const { console, guest } = setUp({ keep: 1000 })
    guest.write('x'.repeat(50_000))
    guest.write('y'.repeat(50_000))
    const error = await rejection(console.expect('z', { timeout: 20 }))
    expect(error.shortMessage).toMatch(
      /the first 50,000 characters of them not searched because they are no longer in memory$/,
    )
  })
})

describe('a watcher', () => {
  test('receives every byte unchanged', async () => {
    const seen: Buffer[] = []
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        seen.push(chunk)
        done()
      },
    })
    const { console, guest } = setUp({ sinks: [sink] })
    guest.write(Buffer.of(0x1b, 0x5b, 0x6d, 0xff))
    guest.write('ok')
    await console.expect('ok')
    expect(Buffer.concat(seen)).toEqual(Buffer.of(0x1b, 0x5b, 0x6d, 0xff, 0x6f, 0x6b))
  })

  test('a watcher that fails or never reads causes one warning, and does not affect the machine', async () => {
    const warnings: string[] = []
    const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error('broken pipe')) })
    const stuck = new Writable({ write: () => {} })
    const { console, guest } = setUp({ sinks: [failing, stuck], onWarning: (message) => warnings.push(message) })
    const megabyte = Buffer.alloc(2 ** 20, 'x')
    for (let count = 0; count < 20; count++) guest.write(megabyte)
    guest.write('end')
    await console.expect('end')
    expect(warnings.toSorted()).toEqual([
      expect.stringMatching(/failed.*broken pipe/),
      expect.stringMatching(/too slow/),
    ])
    expect(stuck.writableLength).toBeLessThanOrEqual(16 * 2 ** 20)
  })
})
