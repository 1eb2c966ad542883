import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Cache } from '../cache.ts'
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

/** A store with one template, `key`. */
async function storeIn(directory: string): Promise<TemplateStore> {
  const store = new TemplateStore(new Cache(directory))
  await store.findOrMake('key', async (folder) => {
    for (const name of [MEMORY_FILE, STATE_FILE, CONSOLE_FILE]) writeFileSync(join(folder, name), name)
    writeFileSync(join(folder, CONTENTS_FILE), '[]')
    mkdirSync(join(folder, FILES_DIRECTORY))
    return undefined
  })
  return store
}

test('the memory file may be opened for writing by its owner, as QEMU does without being root', async () => {
  const stored = await (await storeIn(scratch())).find('key')
  if (stored === undefined || 'unsavable' in stored) throw new TypeError('there is no template')
  expect(statSync(stored.memoryFile).mode & 0o777).toBe(0o600)
})

test('a template is found again where a CI job has unpacked its cache', async () => {
  const [made, restored] = [scratch(), scratch()]
  await storeIn(made)
  // The oldest format of tar knows whole seconds only.
  execFileSync('tar', ['--format=v7', '-cf', join(restored, 'cache.tar'), '-C', made, '.'])
  execFileSync('tar', ['-xf', join(restored, 'cache.tar'), '-C', restored])
  const found = await new TemplateStore(new Cache(restored)).find('key')
  expect(found).toMatchObject({ directory: join(restored, 'templates', 'key'), contents: [] })
})

test('a memory file of another time is not that of the template', async () => {
  const directory = scratch()
  const store = await storeIn(directory)
  const memory = join(directory, 'templates', 'key', MEMORY_FILE)
  const { atimeMs, mtimeMs } = statSync(memory)
  utimesSync(memory, atimeMs / 1000, mtimeMs / 1000 + 1)
  expect(await store.find('key')).toBeUndefined()
})
