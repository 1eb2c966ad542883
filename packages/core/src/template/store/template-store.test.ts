import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Cache } from '../../host/files/cache.ts'
import { CONSOLE_FILE, CONTENTS_FILE, FILES_DIRECTORY, MEMORY_FILE, STATE_FILE } from './template-folder.ts'
import { TemplateStore } from './template-store.ts'

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-store-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Makes a complete template. */
async function build(folder: string): Promise<undefined> {
  for (const name of [MEMORY_FILE, STATE_FILE, CONSOLE_FILE]) writeFileSync(join(folder, name), name)
  writeFileSync(join(folder, CONTENTS_FILE), '[]')
  mkdirSync(join(folder, FILES_DIRECTORY))
}

/** A store with one template, `key`. */
async function storeIn(directory: string): Promise<TemplateStore> {
  const store = new TemplateStore(new Cache(directory))
  await store.findOrMake('key', build)
  return store
}

const [ROOT, LOW, HIGH] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string]
const DAY = 24 * 60 * 60 * 1000

/** A store with a template, a layer over it, and a layer over that one, of about 1 MiB each. */
async function storeWithLayers(directory = scratch()): Promise<TemplateStore> {
  const store = new TemplateStore(new Cache(directory))
  const fill = async (folder: string): Promise<undefined> => {
    await build(folder)
    writeFileSync(join(folder, STATE_FILE), Buffer.alloc(1 << 20, folder))
  }
  let base = await store.findOrMake(ROOT, fill)
  for (const key of [LOW, HIGH]) {
    const over = base
    if ('unsavable' in over) throw new TypeError('there is no template')
    base = await store.findOrMake(key, async (folder) => {
      await fill(folder)
      rmSync(join(folder, MEMORY_FILE))
      return { base: over, state: { path: join(folder, STATE_FILE), headBytes: 1, pagesBytes: 2, isWhole: false } }
    })
  }
  return store
}

/** Sets the time of the last use. */
function useOf(store: TemplateStore, key: string, daysAgo: number): void {
  const seconds = (Date.now() - daysAgo * DAY) / 1000
  utimesSync(store.directory(key), seconds, seconds)
}

test('a test with a fake date far in the future does not remove templates', async () => {
  const store = await storeWithLayers()
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2038-01-19') })
  onTestFinished(() => void vi.useRealTimers())
  expect(await store.prune()).toEqual([])
})

describe('layers', () => {
  test('have the memory of the template at the bottom, and the states of all layers', async () => {
    const store = await storeWithLayers()
    const state = (key: string) => ({
      ...{ path: join(store.directory(key), STATE_FILE), headBytes: 1, pagesBytes: 2, isWhole: false },
    })
    expect(await store.find(HIGH)).toMatchObject({
      memoryFile: join(store.directory(ROOT), MEMORY_FILE),
      layers: [state(LOW), state(HIGH)],
    })
    expect(store.lineage(HIGH)).toEqual([ROOT, LOW, HIGH])
    expect(store.list().map(({ key, base }) => [key, base])).toEqual([
      [ROOT, undefined],
      [LOW, ROOT],
      [HIGH, LOW],
    ])
  })

  test('keep the templates below them from being pruned, even if these were not used for long', async () => {
    const store = await storeWithLayers()
    for (const key of [ROOT, LOW]) useOf(store, key, 30)
    expect(await store.prune()).toEqual([])
    useOf(store, HIGH, 30)
    expect(await store.prune()).toEqual([ROOT, LOW, HIGH])
    expect(store.list()).toEqual([])
  })

  test('are pruned before the templates below them, which count once', async () => {
    const store = await storeWithLayers()
    useOf(store, HIGH, 2)
    useOf(store, LOW, 1)
    // All three templates together take more than 3 MiB.
    expect(await store.prune({ maxBytes: 2.5 * 2 ** 20 })).toEqual([HIGH])
    expect(await store.find(LOW)).toBeDefined()
  })

  test('mark the templates below them as used', async () => {
    const store = await storeWithLayers()
    for (const key of [ROOT, LOW, HIGH]) useOf(store, key, 30)
    await store.find(HIGH)
    expect(await store.prune()).toEqual([])
  })

  test('layers that form a cycle are removed', async () => {
    const store = await storeWithLayers()
    const manifestOf = (key: string): string => join(store.directory(key), 'manifest.json')
    const manifest = JSON.parse(readFileSync(manifestOf(LOW), 'utf8')) as object
    writeFileSync(manifestOf(LOW), JSON.stringify({ ...manifest, base: { key: HIGH, id: 'x' } }))
    expect(store.lineage(HIGH)).toEqual([LOW, HIGH])
    expect(await store.find(HIGH)).toBeUndefined()
    expect(await store.prune()).toEqual([LOW])
  })

  test('are removed when the template below them is missing, or was made again with the same key', async () => {
    const store = await storeWithLayers()
    await store.remove(LOW)
    expect(await store.prune()).toEqual([HIGH])
    const other = await storeWithLayers()
    await other.remove(ROOT)
    await other.findOrMake(ROOT, async (folder) => {
      await build(folder)
      writeFileSync(join(folder, CONSOLE_FILE), 'another boot')
    })
    expect(await other.find(HIGH)).toBeUndefined()
    expect(await other.find(LOW)).toBeUndefined()
    expect(await other.find(ROOT)).toBeDefined()
  })

  test('are not found by a manifest whose base is no key', async () => {
    const store = await storeWithLayers()
    const file = join(store.directory(HIGH), 'manifest.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace(LOW, `../templates/${LOW}`))
    expect(await store.find(HIGH)).toBeUndefined()
  })
})

/** Adds a template of a size to a store. */
async function add(store: TemplateStore, key: string, sizeBytes: number): Promise<void> {
  await store.findOrMake(key, async (folder) => {
    await build(folder)
    writeFileSync(join(folder, STATE_FILE), Buffer.alloc(sizeBytes, key))
  })
}

test('a template that is too large for the limit does not remove older ones that fit', async () => {
  const store = new TemplateStore(new Cache(scratch()))
  await add(store, ROOT, 1 << 20)
  await add(store, LOW, 4 << 20)
  useOf(store, ROOT, 1)
  expect(await store.prune({ maxBytes: 2 << 20 })).toEqual([LOW])
})

test('a new template is kept although it is larger than the limit, and others make room for it', async () => {
  const store = new TemplateStore(new Cache(scratch()))
  await add(store, ROOT, 4 << 20)
  await add(store, LOW, 1 << 20)
  useOf(store, ROOT, 100)
  expect(await store.prune({ maxBytes: 2 << 20 }, ROOT)).toEqual([LOW])
})

test('a new layer is kept with the templates below it', async () => {
  const store = await storeWithLayers()
  expect(await store.prune({ maxBytes: 0 }, HIGH)).toEqual([])
  expect(await store.prune({ maxBytes: 0 }, LOW)).toEqual([HIGH])
})

test('the memory file is writable for its owner, as QEMU needs without root', async () => {
  const stored = await (await storeIn(scratch())).find('key')
  if (stored === undefined || 'unsavable' in stored) throw new TypeError('there is no template')
  expect(statSync(stored.memoryFile).mode & 0o777).toBe(0o600)
})

test('finds a template in a cache that was unpacked elsewhere', async () => {
  const [made, restored] = [scratch(), scratch()]
  await storeIn(made)
  // The oldest format of tar has only whole seconds.
  execFileSync('tar', ['--format=v7', '-cf', join(restored, 'cache.tar'), '-C', made, '.'])
  execFileSync('tar', ['-xf', join(restored, 'cache.tar'), '-C', restored])
  const found = await new TemplateStore(new Cache(restored)).find('key')
  expect(found).toMatchObject({ directory: join(restored, 'templates', 'key'), contents: [] })
})

test('rejects a memory file with another time', async () => {
  const directory = scratch()
  const store = await storeIn(directory)
  const memory = join(directory, 'templates', 'key', MEMORY_FILE)
  const { atimeMs, mtimeMs } = statSync(memory)
  utimesSync(memory, atimeMs / 1000, mtimeMs / 1000 + 1)
  expect(await store.find('key')).toBeUndefined()
})

test('two processes that build the same template use the first one', async () => {
  const directory = scratch()
  const store = new TemplateStore(new Cache(directory))
  let first: unknown
  const second = await store.findOrMake('key', async (folder) => {
    rmSync(join(directory, 'templates', 'key.lock'), { recursive: true })
    first = await storeIn(directory).then((other) => other.find('key'))
    return build(folder)
  })
  expect(second).toMatchObject({ directory: join(directory, 'templates', 'key') })
  expect(first).toMatchObject({ directory: join(directory, 'templates', 'key') })
})

test('does not list a template that another process removes', async () => {
  const directory = scratch()
  const store = await storeIn(directory)
  // The name of the template is still listed, but the folder does not exist any more.
  symlinkSync('gone', join(directory, 'templates', '0'.repeat(32)))
  expect(store.list()).toEqual([])
  expect(await store.prune()).toEqual([])
})

test('a start that is aborted does not wait for the build of another process', async () => {
  const store = new TemplateStore(new Cache(scratch()))
  const controller = new AbortController()
  const reason = new Error('the test is over')
  const built = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const one = store.findOrMake('key', async (folder) => {
    started.resolve()
    await built.promise
    return build(folder)
  })
  await started.promise
  const two = store.findOrMake('key', build, controller.signal)
  controller.abort(reason)
  await expect(two).rejects.toBe(reason)
  built.resolve()
  expect(await one).toMatchObject({ key: 'key' })
})

test('passes on errors of the build, and names the folder in errors of the cache', async () => {
  const store = new TemplateStore(new Cache(scratch()))
  const failure = new Error('of the machine')
  await expect(store.findOrMake('key', () => Promise.reject(failure))).rejects.toBe(failure)
  const file = join(scratch(), 'file')
  writeFileSync(file, '')
  await expect(new TemplateStore(new Cache(file)).findOrMake('key', build)).rejects.toMatchObject({
    code: 'CACHE_UNUSABLE',
    shortMessage: expect.stringContaining(file),
  })
})
