/**
 * Compares several implementations in one run. The contenders take turns, so that changes in the load of the host affect
 * all of them. Reports medians, and the median ratio to the first contender.
 */
import { performance } from 'node:perf_hooks'
import { recordComparison } from './comparisons.ts'

/** An implementation to measure. */
export interface Contender {
  readonly name: string
  /** Runs one turn. @returns the measured time in milliseconds; by default the duration of the call */
  run(): Promise<number | void>
}

/** The measurements of a contender, milliseconds. */
export interface Measured {
  readonly name: string
  readonly times: readonly number[]
  readonly median: number
  /** Median of the ratio to the first contender in the same round. */
  readonly ratio: number
}

/**
 * Runs `rounds` rounds after `warmup` unmeasured ones, and prints a table.
 * @returns a row per contender, in order
 */
export async function sideBySide(
  title: string,
  contenders: readonly Contender[],
  { rounds = 9, warmup = 1 }: { readonly rounds?: number; readonly warmup?: number } = {},
): Promise<readonly Measured[]> {
  const times = contenders.map((): number[] => [])
  for (let round = -warmup; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const begun = performance.now()
      const measured = await contender.run()
      if (round >= 0) times[index]?.push(measured ?? performance.now() - begun)
    }
  }
  const first = times[0] ?? []
  const rows = contenders.map(({ name }, index) => {
    const own = times[index] ?? []
    return {
      name,
      times: own,
      median: median(own),
      ratio: median(own.map((time, round) => time / (first[round] ?? time))),
    }
  })
  print(title, rows, rounds)
  recordComparison({ title, rows })
  return rows
}

/** The middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

function print(title: string, rows: readonly Measured[], rounds: number): void {
  console.log(`\n${title} (${rounds} interleaved rounds; milliseconds)`)
  const width = Math.max(...rows.map(({ name }) => name.length))
  for (const { name, times, median, ratio } of rows) {
    const range = `${Math.min(...times).toFixed(1)} – ${Math.max(...times).toFixed(1)}`
    console.log(
      `  ${name.padEnd(width)}  median ${median.toFixed(1).padStart(9)}  ratio ${ratio.toFixed(3).padStart(7)}  (${range})`,
    )
  }
}
