import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Cache } from './cache.ts'

let cache: Cache
beforeEach(async () => {
  cache = new Cache(join(await mkdtemp(join(tmpdir(), 'cache-')), 'new'))
})
const LONG_AGO = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000)

describe('publish', () => {
  test('makes a file that only this user can read, in folders that only this user can enter', async () => {
    const stored = await cache.publish('a/b/image', 'content')
    expect(await readFile(cache.path('a/b/image'), 'utf8')).toBe('content')
    expect((await stat(cache.path('a/b/image'))).mode & 0o777).toBe(0o600)
    expect((await stat(cache.path('a'))).mode & 0o777).toBe(0o700)
    expect(stored).toMatchObject({ name: 'a/b/image', sizeBytes: 7 })
    expect(stored.sha256).toBe('ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73')
  })

  test('replaces a file atomically, and leaves no other file', async () => {
    await cache.publish('image', 'old')
    await cache.publish('image', 'new')
    expect(await readFile(cache.path('image'), 'utf8')).toBe('new')
    expect(await readdir(cache.directory)).toEqual(['image'])
  })

  test('leaves no file when it fails', async () => {
    await mkdir(cache.path('image/taken'), { recursive: true })
    await expect(cache.publish('image', 'x')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
    expect(await readdir(cache.directory)).toEqual(['image'])
  })
})

describe('a folder that cannot be used', () => {
  test('is named, with the variable that names another', async () => {
    await writeFile(cache.directory, 'a file')
    const refused = {
      code: 'CACHE_UNUSABLE',
      message: expect.stringMatching(/cache folder \/.*ENOTDIR[^]*COLDBOOT_CACHE/),
    }
    await expect(cache.locked('kernels/x', async () => {})).rejects.toMatchObject(refused)
    await expect(cache.publish('image', 'x')).rejects.toMatchObject({ code: 'CACHE_UNUSABLE' })
    await expect(cache.scratch(async () => {})).rejects.toMatchObject({ code: 'CACHE_UNUSABLE' })
  })

  test('is named at once when it becomes unusable while another process holds the lock', async () => {
    await mkdir(cache.path('image.lock'), { recursive: true })
    const waiting = Promise.withResolvers<void>()
    const locked = cache.locked('image', async () => {}, waiting.resolve)
    await waiting.promise
    await rm(cache.directory, { recursive: true })
    await writeFile(cache.directory, 'a file')
    await expect(locked).rejects.toMatchObject({ code: 'CACHE_UNUSABLE' })
  })
})

describe('holds', () => {
  test('recognizes a stored file by size and time', async () => {
    const stored = await cache.publish('image', 'content')
    expect(await cache.holds(stored)).toBe(true)
  })

  test('reads a file whose time has changed, once', async () => {
    const stored = await cache.publish('image', 'content')
    await utimes(cache.path('image'), LONG_AGO, LONG_AGO)
    expect(await cache.holds(stored)).toBe(true)
    expect(Math.floor((await stat(cache.path('image'))).mtimeMs / 1000)).toBe(stored.mtimeSeconds)
    await writeFile(cache.path('image'), 'CONTENT')
    await utimes(cache.path('image'), LONG_AGO, LONG_AGO)
    expect(await cache.holds(stored)).toBe(false)
  })

  test('notices a file that was truncated or is gone', async () => {
    const stored = await cache.publish('image', 'content')
    await writeFile(cache.path('image'), 'con')
    expect(await cache.holds(stored)).toBe(false)
    await rm(cache.path('image'))
    expect(await cache.holds(stored)).toBe(false)
  })
})

describe('locked', () => {
  test('lets one process work while the other waits, and calls onWait', async () => {
    const events: string[] = []
    const first = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const waiting = Promise.withResolvers<void>()
    const one = cache.locked('image', async () => {
      started.resolve()
      await first.promise
      events.push('one')
    })
    await started.promise
    const two = cache.locked(
      'image',
      async () => events.push('two'),
      () => waiting.resolve(),
    )
    await waiting.promise
    first.resolve()
    await Promise.all([one, two])
    expect(events).toEqual(['one', 'two'])
  })

  test('stops waiting when its signal aborts', async () => {
    const first = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const one = cache.locked('image', () => {
      started.resolve()
      return first.promise
    })
    await started.promise
    const controller = new AbortController()
    const reason = new Error('the test is over')
    const work = vi.fn(async () => {})
    const two = cache.locked('image', work, () => controller.abort(reason), controller.signal)
    await expect(two).rejects.toBe(reason)
    first.resolve()
    await one
    expect(work).not.toHaveBeenCalled()
  })

  test('is released when the work fails', async () => {
    const failing = cache.locked('image', () => Promise.reject(new Error('no disk')))
    await expect(failing).rejects.toThrow('no disk')
    expect(await cache.locked('image', async () => 'done')).toBe('done')
  })

  test('does not wait for a dead owner', async () => {
    await mkdir(cache.path('image.lock'), { recursive: true })
    await utimes(cache.path('image.lock'), LONG_AGO, LONG_AGO)
    expect(await cache.locked('image', async () => 'done')).toBe('done')
  })
})

describe('scratch', () => {
  test('is private, and is removed afterwards, also after a failure', async () => {
    let mode: number | undefined
    const work = cache.scratch(async (directory) => {
      mode = (await stat(directory)).mode
      await writeFile(join(directory, 'x'), '')
      throw new Error('interrupted')
    })
    await expect(work).rejects.toThrow('interrupted')
    expect((mode ?? 0) & 0o777).toBe(0o700)
    expect(await readdir(cache.directory)).toEqual([])
  })

  test('removes directories that a killed process left a day ago', async () => {
    await mkdir(cache.path('.new-abc/lists'), { recursive: true })
    await mkdir(cache.path('.new-def'))
    await utimes(cache.path('.new-abc'), LONG_AGO, LONG_AGO)
    await cache.scratch(async () => {})
    expect(await readdir(cache.directory)).toEqual(['.new-def'])
  })
})

test('returns undefined for missing or invalid JSON', async () => {
  await cache.publish('whole', '{"a":1}')
  await cache.publish('half', '{"a":')
  expect(await cache.readJson('whole')).toEqual({ a: 1 })
  expect(await cache.readJson('half')).toBeUndefined()
  expect(await cache.readJson('absent')).toBeUndefined()
})
