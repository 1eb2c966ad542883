/** Table of the results of rounds, by fault. */
import type { RoundResult } from './round.ts'

const STATUSES = ['kept', 'missed', 'skipped', 'violated'] as const

/** A table in Markdown: faults, and how many rounds had which result. */
export function formatTable(results: readonly RoundResult[]): string {
  const faults = [...new Set(results.map(({ plan }) => plan.fault))].toSorted()
  const rows = [...faults, 'All'].map((fault) => {
    const rounds = results.filter(({ plan }) => fault === 'All' || plan.fault === fault)
    return [fault, rounds.length, ...STATUSES.map((one) => rounds.filter(({ status }) => status === one).length)]
  })
  const table = [['Fault', 'Rounds', 'Kept', 'Missed', 'Skipped', 'Violated'], ...rows].map((row) => row.map(String))
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = table
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}
