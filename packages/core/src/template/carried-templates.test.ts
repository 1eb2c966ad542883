import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { expect, onTestFinished, test } from 'vitest'
import { Cache } from '../host/files/cache.ts'
import { exportTemplates, importTemplates } from './carried-templates.ts'
import {
  COMPOSED_DIRECTORY,
  CONSOLE_FILE,
  CONTENTS_FILE,
  FILES_DIRECTORY,
  MEMORY_FILE,
  STATE_FILE,
} from './store/template-folder.ts'
import { TemplateStore } from './store/template-store.ts'

const KEYS = ['a', 'b'].map((digit) => digit.repeat(32))
const MEMORY = Buffer.concat([Buffer.alloc(1 << 20), Buffer.alloc(8192, 'x'), Buffer.alloc(1 << 20)])

function newStore(): TemplateStore {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return new TemplateStore(new Cache(folder))
}

async function storeWithTemplates(): Promise<TemplateStore> {
  const store = newStore()
  for (const key of KEYS) {
    await store.findOrMake(key, async (folder) => {
      writeFileSync(join(folder, MEMORY_FILE), MEMORY)
      writeFileSync(join(folder, STATE_FILE), `state of ${key}`)
      writeFileSync(join(folder, CONSOLE_FILE), 'booted\n')
      writeFileSync(join(folder, CONTENTS_FILE), '[]')
      mkdirSync(join(folder, FILES_DIRECTORY))
      // A machine without disks has no device files.
      if (key === KEYS[0]) writeFileSync(join(folder, FILES_DIRECTORY, 'disk0.qcow2'), 'layer')
    })
  }
  return store
}

async function archiveOf(store: TemplateStore, keys: readonly string[] = KEYS): Promise<Buffer> {
  const output = new PassThrough()
  const [bytes] = await Promise.all([buffer(output), exportTemplates(store, keys, output)])
  return bytes
}

test('templates are found in the cache into which they were imported, with sparse memory', async () => {
  const archive = await archiveOf(await storeWithTemplates())
  const store = newStore()
  expect(await importTemplates(store, Readable.from([archive]))).toEqual({ added: KEYS, misfits: [] })
  for (const key of KEYS) {
    const stored = await store.find(key)
    if (stored === undefined || 'unsavable' in stored) throw new TypeError('there is no template')
    expect(readFileSync(stored.memoryFile).equals(MEMORY)).toBe(true)
    expect(statSync(stored.memoryFile).blocks * 512).toBeLessThan(MEMORY.length / 2)
    expect(readFileSync(join(stored.directory, STATE_FILE), 'utf8')).toBe(`state of ${key}`)
    expect(readdirSync(stored.filesDirectory)).toEqual(key === KEYS[0] ? ['disk0.qcow2'] : [])
  }
})

test('a template that already exists is not changed', async () => {
  const store = await storeWithTemplates()
  const archive = await archiveOf(store)
  expect(await importTemplates(store, Readable.from([archive]))).toEqual({ added: [], misfits: [] })
  await store.remove(KEYS[0] ?? '')
  expect(await importTemplates(store, Readable.from([archive]))).toEqual({ added: [KEYS[0]], misfits: [] })
})

/** Adds a layer, whose state has holes, over the first template. */
async function addLayer(store: TemplateStore): Promise<string> {
  const base = await store.find(KEYS[0] ?? '')
  if (base === undefined || 'unsavable' in base) throw new TypeError('there is no template')
  const key = 'c'.repeat(32)
  await store.findOrMake(key, async (folder) => {
    const path = join(folder, STATE_FILE)
    writeFileSync(path, MEMORY)
    writeFileSync(join(folder, CONSOLE_FILE), 'booted\nprepared\n')
    writeFileSync(join(folder, CONTENTS_FILE), '[]')
    return { base, state: { path, headBytes: 1, pagesBytes: 2, isWhole: false } }
  })
  return key
}

test('a layer is exported with the templates below it', async () => {
  const source = await storeWithTemplates()
  const key = await addLayer(source)
  // Files that can be made again are not exported.
  mkdirSync(join(source.directory(key), COMPOSED_DIRECTORY))
  writeFileSync(join(source.directory(key), COMPOSED_DIRECTORY, MEMORY_FILE), 'composed')
  const archive = await archiveOf(source, [key])
  const store = newStore()
  expect(await importTemplates(store, Readable.from([archive]))).toEqual({ added: [KEYS[0], key], misfits: [] })
  expect(existsSync(join(store.directory(key), COMPOSED_DIRECTORY))).toBe(false)
  const stored = await store.find(key)
  expect(stored).toMatchObject({
    memoryFile: join(store.directory(KEYS[0] ?? ''), MEMORY_FILE),
    layers: [{ path: join(store.directory(key), STATE_FILE), headBytes: 1, pagesBytes: 2, isWhole: false }],
  })
})

test('a layer is not added over another template than its base', async () => {
  const source = await storeWithTemplates()
  const key = await addLayer(source)
  const archive = await archiveOf(source, [key, KEYS[1] ?? ''])
  const store = newStore()
  await store.findOrMake(KEYS[0] ?? '', async (folder) => {
    for (const name of [MEMORY_FILE, STATE_FILE, CONSOLE_FILE]) writeFileSync(join(folder, name), 'another boot')
    writeFileSync(join(folder, CONTENTS_FILE), '[]')
  })
  expect(await importTemplates(store, Readable.from([archive]))).toEqual({ added: [KEYS[1]], misfits: [key] })
  expect(await store.find(key)).toBeUndefined()
})

test('an export of all templates omits damaged ones', async () => {
  const store = await storeWithTemplates()
  rmSync(join(store.directory(KEYS[0] ?? ''), STATE_FILE))
  const output = new PassThrough()
  const [archive] = await Promise.all([buffer(output), exportTemplates(store, undefined, output)])
  expect(await importTemplates(newStore(), Readable.from([archive]))).toEqual({ added: [KEYS[1]], misfits: [] })
})

test('an unknown template is refused by name', async () => {
  const missing = 'c'.repeat(32)
  await expect(exportTemplates(newStore(), [missing], new PassThrough())).rejects.toMatchObject({
    code: 'FILE_MISSING',
    message: expect.stringContaining(missing) as string,
  })
})

test('a damaged archive adds only complete templates', async () => {
  const archive = await archiveOf(await storeWithTemplates(), KEYS.slice(0, 1))
  const store = newStore()
  const cut = Readable.from([archive.subarray(0, archive.length >> 1)])
  await expect(importTemplates(store, cut)).rejects.toMatchObject({ code: 'MACHINE_FILE_INVALID' })
  await expect(importTemplates(store, Readable.from([Buffer.from('text')]))).rejects.toMatchObject({
    code: 'MACHINE_FILE_INVALID',
  })
  expect(store.list()).toEqual([])
})

type Entry = Partial<Header> & { readonly name: string; readonly content?: string | Buffer }

/** An archive that another program has written. */
async function foreign(...entries: readonly Entry[]): Promise<Readable> {
  const tar = pack()
  for (const { content = '', ...header } of entries) tar.entry(header, content)
  tar.finalize()
  return Readable.from([gzipSync(await buffer(tar))])
}

const [KEY = ''] = KEYS

test.each<[string, Entry]>([
  ['a path that leads out', { name: `${KEY}/../../evil` }],
  ['a path that leads out of its files', { name: `${KEY}/files/../../evil` }],
  ['an absolute path', { name: '/etc/evil' }],
  ['a hidden name', { name: `${KEY}/.profile` }],
  ['composed memory', { name: `${KEY}/${COMPOSED_DIRECTORY}/memory` }],
  ['a name that is not a key', { name: `templates/memory` }],
  ['a link', { name: `${KEY}/memory`, type: 'symlink', linkname: '/etc/passwd' }],
  ['a hard link', { name: `${KEY}/memory`, type: 'link', linkname: '/etc/passwd' }],
])('an archive with %s is refused', async (_title, header) => {
  const store = newStore()
  const input = await foreign({ name: `${KEY}/console.log`, content: 'booted' }, header)
  await expect(importTemplates(store, input)).rejects.toMatchObject({ code: 'MACHINE_FILE_INVALID' })
  expect(store.list()).toEqual([])
})

test('a disk layer that refers to another file of the host is refused', async () => {
  const store = newStore()
  const layer = Buffer.alloc(4096)
  layer.write('QFI\xfb', 'latin1')
  layer.writeUInt32BE(3, 4)
  // Incompatible feature: the data is in another file.
  layer.writeBigUInt64BE(4n, 72)
  const input = await foreign({ name: `${KEY}/files/disk0.qcow2`, content: layer })
  await expect(importTemplates(store, input)).rejects.toMatchObject({
    code: 'MACHINE_FILE_INVALID',
    message: expect.stringContaining(
      `${KEY}/files/disk0.qcow2 is a qcow2 image that keeps its data in another file`,
    ) as string,
  })
  expect(store.list()).toEqual([])
})
