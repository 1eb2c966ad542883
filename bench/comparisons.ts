/** Passes the ratios of a benchmark to `scripts/bench.mjs`, as lines of JSON in the file `BENCH_COMPARISONS`. */
import { appendFileSync } from 'node:fs'

/** The result of a comparison. */
export interface Comparison {
  readonly title: string
  /** Each implementation, and its ratio to the first one. */
  readonly rows: readonly { readonly name: string; readonly ratio: number }[]
}

/** Does nothing if the benchmark was not started by `scripts/bench.mjs`. */
export function recordComparison({ title, rows }: Comparison): void {
  const file = process.env['BENCH_COMPARISONS']
  if (file === undefined) return
  const ratios = rows.map(({ name, ratio }) => ({ name, ratio: Number(ratio.toPrecision(3)) }))
  appendFileSync(file, `${JSON.stringify({ title, rows: ratios })}\n`)
}
