/** Age of the entries of a cache folder. The time of a record says when the entry was last used, to the day. */
import { readdir, rm, stat, utimes } from 'node:fs/promises'
import type { Cache } from '@coldboot/core/internal'

/** Suffix of records. The other files of an entry begin with the same name. */
export const RECORD = '.json'
const LOCK = '.lock'
const DAY_MS = 24 * 60 * 60 * 1000
/** Entries not used for this long are removed when another one is made. */
const KEEP_MS = 30 * DAY_MS

/** Notes that an entry is used, so that no process removes it. @param record path of its record */
export async function markUsed(record: string): Promise<void> {
  const now = new Date()
  const stats = await stat(record).catch(() => undefined)
  // A cache that cannot be written to is used as it is.
  if (stats && now.getTime() - stats.mtimeMs > DAY_MS) await utimes(record, now, now).catch(() => {})
}

/** Removes the entries of a folder that were not used for a month. */
export async function removeUnused(cache: Cache, folder: string): Promise<void> {
  const names = await readdir(cache.path(folder)).catch(() => [])
  for (const key of names.filter((name) => name.endsWith(RECORD)).map((name) => name.slice(0, -RECORD.length))) {
    const record = `${key}${RECORD}`
    const stats = await stat(cache.path(`${folder}/${record}`)).catch(() => undefined)
    if (stats === undefined || Date.now() - stats.mtimeMs < KEEP_MS) continue
    const files = names.filter((name) => name === key || (name.startsWith(`${key}.`) && !name.endsWith(LOCK)))
    // The record first: a file without one is not used.
    for (const file of new Set([record, ...files])) {
      await rm(cache.path(`${folder}/${file}`), { recursive: true, force: true })
    }
  }
}
