/** Stores the durations of activities in the cache folder between runs. */
import { Cache, readEnvironment } from '@coldboot/core/internal'

const FILE = 'durations.json'

/** Kind → milliseconds. Empty without a record. */
export async function readDurations(): Promise<ReadonlyMap<string, number>> {
  const stored: unknown = await openCache().readJson(FILE)
  const entries = typeof stored === 'object' && stored !== null ? Object.entries(stored) : []
  return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}

/** Records a duration. Ignores a cache that is not writable. */
export async function recordDuration(kind: string, milliseconds: number): Promise<void> {
  try {
    const known = await readDurations()
    await openCache().publish(FILE, JSON.stringify({ ...Object.fromEntries(known), [kind]: Math.round(milliseconds) }))
  } catch {
    return
  }
}

function openCache(): Cache {
  return new Cache(readEnvironment().cacheDirectory)
}
