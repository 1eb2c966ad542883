/**
 * Built images, by a key over all that went into them. A guest is asked for before every test file, so finding one must cost
 * next to nothing: a record is read, and the sizes and times of its files are compared with it.
 */
import type { Cache, StoredFile } from '@coldboot/core/internal'
import { markUsed, RECORD, removeUnused } from './cache-age.ts'

const FOLDER = 'initramfs'
const IMAGE = '.cpio'

/** A record with its files. Their names begin with that of the record. */
export interface StoredEntry {
  readonly files: readonly StoredFile[]
}

/** The image of that key: the stored one, else the one that `build` makes. Of several processes one builds. */
export async function storedImage(cache: Cache, key: string, build: () => Promise<Uint8Array>): Promise<StoredFile> {
  const { files } = await storedEntry(cache, `${FOLDER}/${key}`, async (name) => ({
    files: [await cache.publish(`${name}${IMAGE}`, await build())] as const,
  }))
  return files[0]
}

/**
 * As {@link storedImage}, for a record of any form.
 * @param name folder and key
 */
export async function storedEntry<Entry extends StoredEntry>(
  cache: Cache,
  name: string,
  build: (name: string) => Promise<Entry>,
): Promise<Entry> {
  const record = `${name}${RECORD}`
  const stored = await findEntry<Entry>(cache, record)
  if (stored) return stored
  return cache.locked(record, async () => {
    const made = await findEntry<Entry>(cache, record)
    if (made) return made
    await removeUnused(cache, name.slice(0, name.lastIndexOf('/')))
    const entry = await build(name)
    await cache.publish(record, JSON.stringify(entry))
    return entry
  })
}

async function findEntry<Entry extends StoredEntry>(cache: Cache, record: string): Promise<Entry | undefined> {
  const entry = (await cache.readJson(record)) as Entry | undefined
  if (!Array.isArray(entry?.files)) return undefined
  const held = await Promise.all(entry.files.map((file) => cache.holds(file)))
  if (!held.every(Boolean)) return undefined
  await markUsed(cache.path(record))
  return entry
}
