/**
 * Compares ways of doing one thing in one run: the contenders take turns, so that a machine that slows down slows all of
 * them, and medians are quoted with the ratio of each pair of turns.
 */
import { performance } from 'node:perf_hooks'

/** One way of doing it. */
export interface Contender {
  readonly name: string
  /** One turn. The time counted is what it returns, milliseconds, else how long it took. */
  run(): Promise<number | void>
}

/** What was measured of one contender, milliseconds. */
export interface Measured {
  readonly name: string
  readonly times: readonly number[]
  readonly median: number
  /** Median over the rounds of this contender's time divided by the first contender's. */
  readonly ratio: number
}

/**
 * Runs `rounds` rounds after `warmup` uncounted ones and prints a table.
 * @returns a row a contender, in their order
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
      const told = await contender.run()
      if (round >= 0) times[index]?.push(told ?? performance.now() - begun)
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
  return rows
}

/** The middle value; of an even number of values the mean of the two in the middle. */
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
