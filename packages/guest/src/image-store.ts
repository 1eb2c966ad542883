/**
 * Built images in the cache, by a hash of their input. Finding an image is fast, because it happens before every test file: the
 * image's record is read, and compared with the size and time of its file.
 */
import type { Cache, StoredFile } from '@coldboot/core/internal'
import { markUsed, RECORD, removeUnused } from './cache-age.ts'

const FOLDER = 'initramfs'
const IMAGE = '.cpio'

/** A record with its files, whose names begin with the record's name. */
export interface StoredEntry {
  readonly files: readonly StoredFile[]
}

/** Returns the stored image of a key, or builds and stores it. Of several processes, only one builds. */
export async function storedImage(cache: Cache, key: string, build: () => Promise<Uint8Array>): Promise<StoredFile> {
  const { files } = await storedEntry(cache, `${FOLDER}/${key}`, async (name) => ({
    files: [await cache.publish(`${name}${IMAGE}`, await build())] as const,
  }))
  return files[0]
}

/**
 * Like {@link storedImage}, for a record with any fields.
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
