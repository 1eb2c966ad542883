/** Age of the entries of a cache folder. The modification time of an entry's record is the day of its last use. */
import { readdir, rm, stat, utimes } from 'node:fs/promises'
import type { Cache } from '@coldboot/core/internal'

/** Suffix of the record of an entry. The names of the entry's other files begin with the same text. */
export const RECORD = '.json'
const LOCK = '.lock'
const DAY_MS = 24 * 60 * 60 * 1000
/** Entries that were not used for this long are removed when a new entry is created. */
const KEEP_MS = 30 * DAY_MS

/** Updates the time of an entry's last use, so that no process removes it. @param record path of its record */
export async function markUsed(record: string): Promise<void> {
  const now = new Date()
  const stats = await stat(record).catch(() => undefined)
  // Fails in a read-only cache, which is allowed.
  if (stats && now.getTime() - stats.mtimeMs > DAY_MS) await utimes(record, now, now).catch(() => {})
}

/** Removes the entries of a folder that were not used for 30 days. */
export async function removeUnused(cache: Cache, folder: string): Promise<void> {
  const names = await readdir(cache.path(folder)).catch(() => [])
  for (const key of names.filter((name) => name.endsWith(RECORD)).map((name) => name.slice(0, -RECORD.length))) {
    const record = `${key}${RECORD}`
    const stats = await stat(cache.path(`${folder}/${record}`)).catch(() => undefined)
    if (stats === undefined || Date.now() - stats.mtimeMs < KEEP_MS) continue
    const files = names.filter((name) => name === key || (name.startsWith(`${key}.`) && !name.endsWith(LOCK)))
    // The record is removed first, because files without a record are ignored.
    for (const file of new Set([record, ...files])) {
      await rm(cache.path(`${folder}/${file}`), { recursive: true, force: true })
    }
  }
}
