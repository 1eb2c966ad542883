import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeDerivedFiles } from './derived-files.ts'
import type { MachineMeta } from './machine-meta.ts'
import type { TimelineEntry } from './timeline.ts'

const meta: MachineMeta = {
  name: 'server',
  arch: 'x86_64',
  accelerator: 'tcg',
  memory: '256M',
  cpus: 1,
  qemuVersion: '7.2.0',
  coldbootVersion: '0.1.0',
  started: '2026-01-02T03:04:05.678Z',
  start: 'cold',
  commandLine: 'qemu',
  test: { file: 'a.test.ts', names: ['greets', 'twice'], duplicateIndex: 0, repeat: 0, retry: 0 },
}

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Writes a log of chunks, each with the milliseconds since the previous one. */
function log(
  pieces: readonly (readonly [milliseconds: number, bytes: string | Buffer])[],
  timeline: readonly TimelineEntry[] = [],
): void {
  const bytes = pieces.map(([, piece]) => Buffer.from(piece))
  writeFileSync(join(directory, 'console.log'), Buffer.concat(bytes))
  const timing = pieces.map(([milliseconds], index) => `${(milliseconds / 1000).toFixed(6)} ${bytes[index]?.length}\n`)
  writeFileSync(join(directory, 'console.log.timing'), timing.join(''))
  writeFileSync(join(directory, 'timeline.jsonl'), timeline.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
}

function derived(name: string, maxBytes = 100_000): string {
  writeDerivedFiles(directory, meta, { maxBytes })
  return readFileSync(join(directory, name), 'utf8')
}

test('each line of console.txt starts with the time of its first character, and has no escape codes', () => {
  const euro = Buffer.from('€')
  log([
    [1000, 'one \x1b[3'],
    [250, '1mred\x1b[0m\r\ntw'],
    [250, Buffer.concat([Buffer.from('o '), euro.subarray(0, 1)])],
    [500, Buffer.concat([euro.subarray(1), Buffer.from('\r\n\r\n# ')])],
  ])
  expect(derived('console.txt')).toBe('[   1.000] one red\n[   1.250] two €\n[   2.000] \n[   2.000] # \n')
})

test('console.cast contains output, input, and markers at failures, in order', () => {
  log(
    [
      [100, '# '],
      [200, 'ls\r\n'],
    ],
    [
      { time: 0.2, kind: 'send', text: 'ls\n' },
      { time: 0.25, kind: 'expect', text: '"x"', id: 'expect-1' },
      { time: 0.5, kind: 'timeout', text: '"server" did not print "x"\nand more', ok: false },
      { time: 0.6, kind: 'result', text: 'exit code 1: false', ok: false },
      { time: 0.7, kind: 'incident', text: 'panic: no init', ok: true },
    ],
  )
  const [header, ...events] = derived('console.cast')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  expect(header).toEqual({
    version: 2,
    width: 80,
    height: 24,
    timestamp: 1767323045,
    title: 'a.test.ts > greets > twice > server',
  })
  expect(events).toEqual([
    [0.1, 'o', '# '],
    [0.2, 'i', 'ls\n'],
    [0.3, 'o', 'ls\r\n'],
    [0.5, 'm', 'timeout: "server" did not print "x"'],
    [0.7, 'm', 'incident: panic: no init'],
  ])
})

test('both files contain the start and the end of a console that is too long', () => {
  log(Array.from({ length: 1000 }, (_, line) => [10, `line ${line}\r\n`] as const))
  const text = derived('console.txt', 4096).trim().split('\n')
  expect(text[0]).toBe('[   0.010] line 0')
  expect(text.at(-1)).toBe('[  10.000] line 999')
  expect(
    text.filter((line) => line.includes('lines are left out here: this file is limited to 4096 bytes')),
  ).toHaveLength(1)
  const cast = readFileSync(join(directory, 'console.cast'), 'utf8')
  expect(Buffer.byteLength(cast)).toBeLessThanOrEqual(4096)
  const [, ...events] = cast
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [number, string, string])
  const times = events.map(([time]) => time)
  expect(times).toEqual([...times].sort((a, b) => a - b))
  expect(events.some(([, , text]) => text.includes('left out here'))).toBe(true)
})

test('an incomplete log and timeline are read as far as possible', () => {
  log([[100, 'whole\n']])
  writeFileSync(join(directory, 'console.log'), 'whole\nits time is not there')
  writeFileSync(join(directory, 'timeline.jsonl'), '{"time":0.2,"kind":"send","text":"a"}\n{"time":0.3,"ki')
  expect(derived('console.txt')).toBe('[   0.100] whole\n[   0.100] its time is not there\n')
  expect(readFileSync(join(directory, 'console.cast'), 'utf8')).toContain('[0.2,"i","a"]')
})
