/**
 * Measures the throughput of the console while a test waits for a pattern, and shows that the cost is linear in the output.
 * The baseline appends each chunk to a string and searches the whole string again.
 *
 * Run: node bench/console.bench.ts [--rounds 3]
 */
import { Console } from '../packages/core/src/console/console.ts'
import { IncidentWatch } from '../packages/core/src/console/incident/incident-watch.ts'
import { Transcript } from '../packages/core/src/console/log/transcript.ts'
import { ExpectBuffer } from '../packages/core/src/console/match/expect-buffer.ts'
import type { Pattern } from '../packages/core/src/console/match/pattern.ts'
import { makeRegExpTimeout } from '../packages/core/src/console/match/regexp/regexp-timeout.ts'
import { CleanText } from '../packages/core/src/console/text/decoder.ts'
import { recordComparison } from './comparisons.ts'
import { benchOptions } from './options.ts'

const { rounds } = benchOptions({ rounds: 3 })
const MEGABYTE = 1_000_000
const SIZES = [1, 4, 16]

const line = '\x1b[0m[   12.345678] usb 1-1: new high-speed device <42>, a line of about eighty characters\r\n'

/** Output of the guest in chunks like those of a socket. Does not contain the patterns, so that waits last until the end. */
function flood(megabytes: number, pieceBytes: number): Uint8Array[] {
  const bytes = Buffer.from(line.repeat(Math.ceil((megabytes * MEGABYTE) / line.length)))
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes))
  return pieces
}

function decoded(pieces: readonly Uint8Array[], push: (text: string) => void): void {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  const clean = new CleanText()
  for (const piece of pieces) push(clean.push(utf8.decode(piece, { stream: true })))
}

function waiting(patterns: readonly Pattern[], first = ''): (pieces: readonly Uint8Array[]) => void {
  return (pieces) => {
    const buffer = new ExpectBuffer(patterns)
    buffer.push(first)
    decoded(pieces, (text) => {
      if (buffer.push(text) !== undefined) throw new Error('the flood has the pattern')
    })
  }
}

function byHand(found: (all: string) => boolean): (pieces: readonly Uint8Array[]) => void {
  return (pieces) => {
    let all = ''
    decoded(pieces, (text) => {
      all += text
      if (found(all)) throw new Error('the flood has the pattern')
    })
  }
}

function watched(pieces: readonly Uint8Array[]): void {
  const quiet = {
    regExpTimeout: makeRegExpTimeout(),
    scale: (time: number) => time,
    onIncident: () => {},
    onWarning: () => {},
  }
  const watch = new IncidentWatch({ settings: {}, ...quiet })
  decoded(pieces, (text) => watch.take(text))
}

function wholeConsole(pieces: readonly Uint8Array[]): void {
  const console = new Console({ name: 'bench', transcript: new Transcript(), timeoutMs: Infinity })
  const listeners: ((chunk: Uint8Array) => void)[] = []
  const stream = { on: (event: string, listener: () => void) => event === 'data' && listeners.push(listener) }
  console.attach(Object.assign(stream, { _write: () => {} }) as never)
  void console.expect(/login: (\w+)/)
  for (const piece of pieces) for (const listener of listeners) listener(piece)
}

const cases: readonly [name: string, run: (pieces: readonly Uint8Array[]) => void, slow?: 'slow'][] = [
  ['decoding alone', (pieces) => decoded(pieces, () => {})],
  ['+ string', waiting(['login: '])],
  ['+ /login: (\\w+)/', waiting([/login: (\w+)/])],
  ['+ /(\\w+)@(\\w+): .*/', waiting([/(\w+)@(\w+): .*/])],
  ['+ list of 3', waiting(['login: ', /panic: .*/, /Oops[^]*?---/])],
  ['+ /BEGIN[^]*?END/, begun', waiting([/BEGIN[^]*?END/], 'BEGIN')],
  ['+ /(?:\\d+\\.)+x/, guarded', waiting([/(?:\d+\.)+x/])],
  ['+ guest failures', watched],
  ['whole console', wholeConsole],
  ['by hand: includes', byHand((all) => all.includes('login: ')), 'slow'],
  ['by hand: /login: (\\w+)/', byHand((all) => /login: (\w+)/.test(all)), 'slow'],
  ['by hand: /(\\w+)@(\\w+): .*/', byHand((all) => /(\w+)@(\w+): .*/.test(all)), 'slow'],
]

function megabytesPerSecond(
  run: (pieces: readonly Uint8Array[]) => void,
  megabytes: number,
  pieceBytes: number,
): number {
  const pieces = flood(megabytes, pieceBytes)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    run(pieces)
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 1000)
  }
  return (megabytes * 1000) / Math.min(...times)
}

for (const pieceBytes of [65_536, 1024]) {
  console.log(`\nMB a second of CPU time, in chunks of ${pieceBytes} bytes`)
  console.log(
    ['', ...SIZES.map((size) => `${size} MB`)].map((cell, column) => cell.padEnd(column === 0 ? 32 : 10)).join(''),
  )
  const rows = cases.map(([name, run, slow]) => {
    // Quadratic: the larger sizes would take minutes.
    const isShown = (size: number): boolean => slow === undefined || (size <= 4 && pieceBytes >= 2048)
    const rates = SIZES.map((size) => (isShown(size) ? megabytesPerSecond(run, size, pieceBytes) : undefined))
    const cells = [name, ...rates.map((rate) => rate?.toFixed(1) ?? '-')]
    console.log(cells.map((cell, column) => cell.padEnd(column === 0 ? 32 : 10)).join(''))
    return { name, rate: rates[1] }
  })
  // Time per MB, because higher values are slower in the other benchmarks too.
  const first = rows[0]?.rate ?? Number.NaN
  recordComparison({
    title: `Console, ${SIZES[1]} MB in chunks of ${pieceBytes} bytes: CPU time`,
    rows: rows.flatMap(({ name, rate }) => (rate === undefined ? [] : [{ name, ratio: first / rate }])),
  })
}
