import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Cache } from '../../host/files/cache.ts'
import {
  CONSOLE_FILE,
  CONTENTS_FILE,
  FILES_DIRECTORY,
  MEMORY_FILE,
  STATE_FILE,
  TemplateStore,
} from './template-store.ts'

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-store-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Makes a template, whole. */
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

test('the memory file is writable for its owner, as QEMU needs without root', async () => {
  const stored = await (await storeIn(scratch())).find('key')
  if (stored === undefined || 'unsavable' in stored) throw new TypeError('there is no template')
  expect(statSync(stored.memoryFile).mode & 0o777).toBe(0o600)
})

test('finds a template in a cache that was unpacked elsewhere', async () => {
  const [made, restored] = [scratch(), scratch()]
  await storeIn(made)
  // The oldest format of tar knows whole seconds only.
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
  // Its name is still read from the folder; it is not there any more.
  symlinkSync('gone', join(directory, 'templates', '0'.repeat(32)))
  expect(store.list()).toEqual([])
  expect(await store.prune()).toEqual([])
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
