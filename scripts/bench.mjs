// @ts-check
/**
 * `npm run bench`: runs the benchmarks in `bench/`, one after the other, and prints one table of ratios. Writes it to
 * `bench/results/` as JSON too. `--only NAME` selects one, and can be repeated; `--rounds N` is passed on; `--list` prints the
 * names.
 */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { endOnSignals, interrupted, run, StepError } from './commands.mjs'
import { step } from './progress.mjs'
import { ROOT } from './setup.mjs'

const RESULTS = join(ROOT, 'bench', 'results')

/** @typedef {import('../bench/comparisons.ts').Comparison & { bench: string }} Result */

/** @param {string} name @param {string | undefined} rounds @returns {Promise<Result[]>} */
async function measure(name, rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-bench-'))
  const file = join(folder, 'comparisons')
  writeFileSync(file, '')
  try {
    await step(name, async (report) => {
      const options = rounds === undefined ? [] : ['--rounds', rounds]
      const env = { ...process.env, BENCH_COMPARISONS: file }
      await run([process.execPath, join('bench', `${name}.bench.ts`), ...options], { env, cwd: ROOT, report })
      return name
    })
    const lines = readFileSync(file, 'utf8').split('\n')
    return lines.filter(Boolean).map((line) => ({ bench: name, ...JSON.parse(line) }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A Markdown table. @param {readonly Result[]} results */
function table(results) {
  const rows = results.flatMap(({ bench, title, rows }) =>
    rows.map(({ name, ratio }, index) => [index === 0 ? bench : '', index === 0 ? title : '', name, String(ratio)]),
  )
  const all = [['Benchmark', 'Comparison', 'Implementation', 'Ratio'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = all
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})
const all = globSync('*.bench.ts', { cwd: join(ROOT, 'bench') })
  .map((file) => file.replace('.bench.ts', ''))
  .toSorted()
const unknown = values.only.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. The benchmarks are ${all.join(', ')}.`)
  process.exit(2)
}
const chosen = values.only.length > 0 ? all.filter((name) => values.only.includes(name)) : all
if (values.list) console.log(chosen.join('\n'))
else await measureAll()

async function measureAll() {
  endOnSignals()
  /** @type {Result[]} */
  const results = []
  /** @type {string[]} */
  const failed = []
  for (const name of chosen) {
    try {
      results.push(...(await measure(name, values.rounds)))
    } catch (error) {
      if (!(error instanceof StepError)) throw error
      console.error(error.message)
      failed.push(name)
      if (interrupted() !== undefined) break
    }
  }
  const date = new Date().toISOString()
  const machine = { cpu: cpus()[0]?.model, cpus: availableParallelism(), node: process.version }
  const file = join(RESULTS, `${date.slice(0, 19).replaceAll(':', '-')}.json`)
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(file, `${JSON.stringify({ date, machine, results, failed }, null, 2)}\n`)
  console.log(`\n${table(results)}\n\nTimes relative to the first implementation of each comparison. JSON: ${file}`)
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`)
  process.exitCode = interrupted() ?? (failed.length > 0 ? 1 : 0)
}
