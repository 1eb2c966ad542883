import { access, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cache } from '@coldboot/core/internal'
import { beforeEach, expect, test, vi } from 'vitest'
import { storedImage } from './image-store.ts'

let cache: Cache
beforeEach(async () => {
  cache = new Cache(await mkdtemp(join(tmpdir(), 'image-store-')))
})
const DAY_MS = 24 * 60 * 60 * 1000
const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS)
const exists = (name: string): Promise<boolean> =>
  access(cache.path(name)).then(
    () => true,
    () => false,
  )

test('builds an image once for two requests at the same time', async () => {
  const build = vi.fn(async () => Buffer.from('image'))
  const images = await Promise.all([storedImage(cache, 'k', build), storedImage(cache, 'k', build)])
  await storedImage(cache, 'k', build)
  expect(build).toHaveBeenCalledOnce()
  expect(images[0]).toEqual(images[1])
  expect(await readFile(cache.path(images[0].name), 'utf8')).toBe('image')
})

test('rebuilds an image that was damaged, truncated or deleted', async () => {
  const build = vi.fn(async () => Buffer.from('image'))
  const { name } = await storedImage(cache, 'k', build)
  await writeFile(cache.path(name), 'ima')
  await storedImage(cache, 'k', build)
  await rm(cache.path(name))
  await storedImage(cache, 'k', build)
  expect(build).toHaveBeenCalledTimes(3)
  expect(await readFile(cache.path(name), 'utf8')).toBe('image')
})

test('a failed build leaves no image and can be tried again', async () => {
  await expect(storedImage(cache, 'k', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await exists('initramfs/k.cpio')).toBe(false)
  expect(await storedImage(cache, 'k', async () => Buffer.from('image'))).toMatchObject({ sizeBytes: 5 })
})

test('removes images that were not used for a month when it builds another one', async () => {
  for (const key of ['old', 'recent']) await storedImage(cache, key, async () => Buffer.from(key))
  await utimes(cache.path('initramfs/old.json'), daysAgo(31), daysAgo(31))
  await utimes(cache.path('initramfs/recent.json'), daysAgo(29), daysAgo(29))
  await storedImage(cache, 'new', async () => Buffer.from('new'))
  expect(await Promise.all(['old', 'recent', 'new'].map((key) => exists(`initramfs/${key}.cpio`)))).toEqual([
    false,
    true,
    true,
  ])
  expect(await exists('initramfs/old.json')).toBe(false)
})

test('using an image keeps it for another month', async () => {
  await storedImage(cache, 'k', async () => Buffer.from('image'))
  await utimes(cache.path('initramfs/k.json'), daysAgo(20), daysAgo(20))
  await storedImage(cache, 'k', () => Promise.reject(new Error('not needed')))
  expect(Date.now() - (await stat(cache.path('initramfs/k.json'))).mtimeMs).toBeLessThan(DAY_MS)
})
