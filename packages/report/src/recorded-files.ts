/** Lists the recorded files of a machine. */
import { readdirSync } from 'node:fs'
import { LOG_FILE, TIMELINE_FILE } from './derived-files.ts'
import { META_FILE } from './machine-meta.ts'

/** Names of the files in a folder, the most useful first, with that of `meta.json`. */
export function filesOf(directory: string): readonly string[] {
  const order = ['console.txt', 'screen.png', 'journal.txt', 'console.cast', LOG_FILE, TIMELINE_FILE]
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)
  const entries = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile())
  const names = entries.map(({ name }) => name).filter((name) => name !== META_FILE)
  return [...names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)), META_FILE]
}
