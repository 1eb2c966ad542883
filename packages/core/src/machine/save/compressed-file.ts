/** Caches the compressed form of files that many machine files contain, such as kernels, by content. */

import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { wallClock } from '../../host/clock.ts'
import { Cache } from '../../host/files/cache.ts'
import { fileDigest } from '../../host/files/file-digest.ts'
import { compress } from './compression.ts'

/** Folder in the cache. */
const FOLDER = 'compressed'
/** Files not used for this long are removed, milliseconds. */
const MAX_AGE_MS = 14 * 24 * 60 * 60 * 1000
/** Larger files are not kept in memory, bytes. */
export const MOST_BYTES: number = 256 * 2 ** 20

/**
 * Returns the compressed content of a file of at most {@link MOST_BYTES}: from the cache if the same content was
 * compressed before.
 */
export async function compressedFile(cacheDirectory: string, path: string): Promise<Uint8Array> {
  const cache = new Cache(cacheDirectory)
  const entry = `${FOLDER}/${await fileDigest(path, cache.path('digests'))}`
  try {
    const bytes = await readFile(cache.path(entry))
    const now = new Date()
    await utimes(cache.path(entry), now, now).catch(() => {})
    return bytes
  } catch {
    const bytes = await compress(await readFile(path))
    // A save does not fail because of the cache.
    await keep(cache, entry, bytes).catch(() => {})
    return bytes
  }
}

async function keep(cache: Cache, entry: string, bytes: Uint8Array): Promise<void> {
  await mkdir(cache.path(FOLDER), { recursive: true, mode: 0o700 })
  await cache.publish(entry, bytes)
  for (const name of await readdir(cache.path(FOLDER))) {
    const path = join(cache.path(FOLDER), name)
    if (wallClock() - (await stat(path)).mtimeMs > MAX_AGE_MS) await rm(path, { force: true })
  }
}
