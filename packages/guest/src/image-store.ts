/**
 * Built initramfs images, by a key over all that went into them. A guest is asked for before every test file, so finding
 * one must cost next to nothing: a record is read, and the image's size and time are compared with it.
 */
import { readdir, rm, stat, utimes } from 'node:fs/promises'
import type { Cache, StoredFile } from '@coldboot/core/internal'

const FOLDER = 'initramfs'
const IMAGE = '.cpio'
const RECORD = '.json'
const DAY_MS = 24 * 60 * 60 * 1000
/** Images not used for this long are removed when another is built. */
const KEEP_MS = 30 * DAY_MS

/** The image of that key: the stored one, else the one that `build` makes. Of several processes one builds. */
export async function storedImage(cache: Cache, key: string, build: () => Promise<Uint8Array>): Promise<StoredFile> {
  const record = `${FOLDER}/${key}${RECORD}`
  const stored = await findImage(cache, record)
  if (stored) return stored
  return cache.locked(record, async () => {
    const made = await findImage(cache, record)
    if (made) return made
    await prune(cache)
    const image = await cache.publish(`${FOLDER}/${key}${IMAGE}`, await build())
    await cache.publish(record, JSON.stringify(image))
    return image
  })
}

async function findImage(cache: Cache, record: string): Promise<StoredFile | undefined> {
  const image = (await cache.readJson(record)) as StoredFile | undefined
  if (!image || !(await cache.holds(image))) return undefined
  await markUsed(cache.path(record))
  return image
}

// The record's time says when the image was last used, to the day.
async function markUsed(record: string): Promise<void> {
  const now = new Date()
  const { mtimeMs } = await stat(record)
  if (now.getTime() - mtimeMs > DAY_MS) await utimes(record, now, now)
}

async function prune(cache: Cache): Promise<void> {
  const names = await readdir(cache.path(FOLDER)).catch(() => [])
  for (const key of names.filter((name) => name.endsWith(RECORD)).map((name) => name.slice(0, -RECORD.length))) {
    const record = cache.path(`${FOLDER}/${key}${RECORD}`)
    const stats = await stat(record).catch(() => undefined)
    if (stats === undefined || Date.now() - stats.mtimeMs < KEEP_MS) continue
    await rm(record, { force: true })
    await rm(cache.path(`${FOLDER}/${key}${IMAGE}`), { force: true })
  }
}
