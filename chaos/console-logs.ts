/** Checks the logs of the consoles: what the tests received is in them, without a gap. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChaosEvent } from './events.ts'

/** Mark before the output of a flood. */
const FLOOD_START = 'flood-0\n'

/** Checksum of a line, as the guest computes it. */
const checksumOf = (line: number): number => (line * 7919) % 99_991

/**
 * @param artifacts folder with the files of the machines
 * @param losesLog whether lines that were received may be missing
 * @returns what is wrong
 */
export function checkLogs(artifacts: string, events: readonly ChaosEvent[], losesLog: boolean): readonly string[] {
  const logs = new Map(logsBelow(artifacts).map((log) => [log.test, log.path]))
  const tests = new Set(events.filter(({ kind }) => kind === 'started').map(({ test = '' }) => test))
  return [...tests].flatMap((test) => {
    const path = logs.get(test)
    if (path === undefined) return losesLog ? [] : [`the console of ${test} has no log`]
    const log = readFileSync(path)
    const flood = floodIn(log)
    // Numbered lines are before the flood. All of it together may be longer than a string.
    const text = log.toString('latin1', 0, flood.start)
    const problem = gapIn(text)
    const lines = Math.max(0, ...events.filter((event) => event.test === test).map((event) => event.lines ?? 0))
    return [
      ...(problem === undefined ? [] : [`the log of ${test} has a gap: ${problem}`]),
      ...(losesLog || lastLine(text) >= lines
        ? []
        : [`the log of ${test} ends before line ${lines}, which the test received`]),
      ...events
        .filter((event) => event.test === test && event.kind === 'flooded')
        .flatMap((event) => checkFlood(log.subarray(flood.start, flood.end), event)),
    ]
  })
}

/** Logs by the name of their test. Its folder is `<file>/<test>-<hash>/<machine>`. */
function logsBelow(artifacts: string): readonly { readonly test: string; readonly path: string }[] {
  const paths = readdirSync(artifacts, { recursive: true, encoding: 'utf8' })
  return paths
    .filter((path) => path.endsWith('/console.log'))
    .map((path) => ({ test: path.split('/')[1]?.split('-').slice(0, 2).join('-') ?? '', path: join(artifacts, path) }))
}

/** The first line that is not the next one, or has another checksum; undefined if there is none. */
function gapIn(log: string): string | undefined {
  let next = 1
  for (const [text, number, checksum] of completeLines(log)) {
    if (Number(number) !== next || Number(checksum) !== checksumOf(next)) return `"${text}" instead of line ${next}`
    next++
  }
  return undefined
}

function lastLine(log: string): number {
  return completeLines(log).length
}

function completeLines(log: string): readonly RegExpMatchArray[] {
  return [...log.matchAll(/line (\d+) (\d+)\r?\n/g)]
}

/** Offsets of the output between the marks of a flood; both at the end of a log without a flood. */
function floodIn(log: Buffer): { readonly start: number; readonly end: number } {
  const mark = log.indexOf(FLOOD_START)
  if (mark < 0) return { start: log.length, end: log.length }
  const start = mark + FLOOD_START.length
  return { start, end: log.indexOf('\nflood-end ', start) }
}

/** Compares the output of a flood with its hash, which the guest computed. */
function checkFlood(flood: Buffer, { sha256, bytes = 0 }: ChaosEvent): readonly string[] {
  const found = createHash('sha256').update(flood).digest('hex')
  return found === sha256 && flood.length >= bytes
    ? []
    : [`the log of a flood has ${flood.length} bytes with the hash ${found} instead of ${sha256}`]
}
