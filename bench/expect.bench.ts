/**
 * Compares the expect stream of a console with pexpect (Debian: python3-pexpect): time and memory to find the last line of 5, 20
 * and 100 MB that `cat` prints, without the start of Node or Python. With its defaults, pexpect searches all output again for a
 * regular expression after each read, so it is only measured with 5 MB; "tuned" reads more at once and searches only the last 200
 * characters.
 *
 * Run: node bench/expect.bench.ts [--rounds 3]
 */
import { execFile } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { recordComparison } from './comparisons.ts'
import { benchOptions } from './options.ts'
import { median, sideBySide } from './side-by-side.ts'

const { rounds } = benchOptions({ rounds: 3 })
const SIZES = [5, 20, 100]
const LINE = '\x1b[0m[   12.345678] usb 1-1: new high-speed device <42>, a line of about eighty characters\r\n'
const run = promisify(execFile)
const peer = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url))
const [NODE, PYTHON] = [
  [process.execPath, peer('expect-stream.ts')],
  ['python3', '-B', peer('expect_stream.py')],
]
const contenders = [
  { name: 'coldboot, string', command: NODE, kind: 'string' },
  { name: 'coldboot, regular expression', command: NODE, kind: 'regexp' },
  { name: 'pexpect, string', command: PYTHON, kind: 'string' },
  { name: 'pexpect, regular expression, tuned', command: PYTHON, kind: 'tuned' },
  { name: 'pexpect, regular expression', command: PYTHON, kind: 'regexp', most: 5 },
]

const folder = mkdtempSync(join(tmpdir(), 'coldboot-bench-'))
try {
  const table: Record<string, Record<string, number>> = {}
  for (const megabytes of SIZES) {
    const file = join(folder, 'output')
    const block = LINE.repeat(1000)
    const blocks = Array.from({ length: Math.round((megabytes * 1_000_000) / block.length) }, () => block)
    await pipeline(Readable.from([...blocks, 'login: root\r\n']), createWriteStream(file))
    const peaks = new Map<string, number[]>()
    const taking = contenders.filter(({ most = Infinity }) => megabytes <= most)
    const rows = await sideBySide(
      `${megabytes} MB`,
      taking.map(({ name, command: [program = '', ...words], kind }) => ({
        name,
        run: async () => {
          const { stdout } = await run(program, [...words, file, kind])
          const [milliseconds = Number.NaN, peak = Number.NaN] = JSON.parse(stdout) as number[]
          peaks.set(name, [...(peaks.get(name) ?? []), peak])
          return milliseconds
        },
      })),
      { rounds },
    )
    const first = median(peaks.get('coldboot, string') ?? [])
    const memory = rows.map(({ name }) => ({ name, ratio: median(peaks.get(name) ?? []) / first }))
    recordComparison({ title: `${megabytes} MB: peak memory`, rows: memory })
    for (const [index, { name, ratio }] of rows.entries()) {
      table[name] = {
        ...table[name],
        [`${megabytes} MB, time`]: Number(ratio.toFixed(2)),
        [`${megabytes} MB, memory`]: Number(memory[index]?.ratio.toFixed(2)),
      }
    }
  }
  console.log()
  console.table(table)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
