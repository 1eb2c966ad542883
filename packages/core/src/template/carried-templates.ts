/** Exports and imports templates as an archive, so that one CI job makes them and others use them. */
import { once } from 'node:events'
import { mkdir, open, readdir, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { OptionError } from '../errors.ts'
import { writeSparse } from '../host/files/sparse-file.ts'
import { type ArchiveEntry, ArchiveReader, ArchiveWriter, isPlainPath } from '../machine/save/archive.ts'
import { decompressorFor } from '../machine/save/compression.ts'
import { requireOwnContent } from '../machine/save/disk-layers.ts'
import { COMPOSED_DIRECTORY, FILES_DIRECTORY, MEMORY_FILE, STATE_FILE } from './store/template-folder.ts'
import { isTemplateKey } from './store/template-key.ts'
import type { TemplateStore } from './store/template-store.ts'

const KEY_LENGTH = 32

/**
 * Writes templates to one compressed archive. A layer comes after the templates below it.
 * @param keys undefined: all templates that are not damaged
 * @throws OptionError `FILE_MISSING` when a template does not exist; nothing is written then
 */
export async function exportTemplates(
  store: TemplateStore,
  keys: readonly string[] | undefined,
  output: Writable,
): Promise<void> {
  const exported: string[] = []
  for (const key of keys ?? store.list().map((entry) => entry.key)) {
    if ((await store.find(key)) !== undefined) exported.push(key)
    else if (keys !== undefined) {
      throw new OptionError('FILE_MISSING', `There is no template ${key}`, {
        hint: 'List them with `coldboot templates`.',
      })
    }
  }
  const archive = new ArchiveWriter(output)
  try {
    for (const key of new Set(exported.flatMap((key) => store.lineage(key))))
      await addFolder(archive, key, store.directory(key))
    await archive.finish()
  } catch (error) {
    await archive.abandon()
    throw error
  }
}

async function addFolder(archive: ArchiveWriter, name: string, path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.name === COMPOSED_DIRECTORY) continue
    const [inside, file] = [`${name}/${entry.name}`, join(path, entry.name)]
    if (entry.isDirectory()) await addFolder(archive, inside, file)
    else if (entry.isFile()) await archive.addFile(inside, file)
  }
}

/** Result of an import: keys of the templates in the archive. */
export interface ImportedTemplates {
  readonly added: readonly string[]
  /** Layers that were not added, because the store has another template with the key of their base. */
  readonly misfits: readonly string[]
}

/**
 * Adds the templates of an archive to the store. Existing templates are not changed.
 *
 * @throws OptionError `MACHINE_FILE_INVALID` for a damaged archive or another file; templates before the damage are
 * kept
 */
export async function importTemplates(store: TemplateStore, input: Readable): Promise<ImportedTemplates> {
  const name = 'The archive'
  await once(input, 'readable')
  const start = (input.read() as Buffer | null) ?? Buffer.alloc(0)
  input.unshift(start)
  const decompressor = decompressorFor(start, name)
  input.once('error', (error) => decompressor.destroy(error))
  await using archive = new ArchiveReader(input.pipe(decompressor), name, isNameInside)
  const added: string[] = []
  const misfits: string[] = []
  for (let entry = await archive.peek(); entry; entry = await archive.peek()) {
    const key = entry.name.slice(0, KEY_LENGTH)
    const result = await store.adopt(key, (directory) => unpack(archive, key, directory))
    if (result === 'added') added.push(key)
    if (result === 'misfit') misfits.push(key)
    await skip(archive, key)
  }
  return { added, misfits }
}

function isNameInside(name: string): boolean {
  const [key = '', inside] = name.split('/')
  return isTemplateKey(key) && inside !== undefined && inside !== COMPOSED_DIRECTORY && isPlainPath(name)
}

async function unpack(archive: ArchiveReader, key: string, directory: string): Promise<void> {
  // The archive contains no folders, so the folder would be missing for a machine without files.
  await mkdir(join(directory, FILES_DIRECTORY), { mode: 0o700 })
  for (let entry = await archive.peek(); entry?.name.startsWith(key) === true; entry = await archive.peek()) {
    const path = join(directory, entry.name.slice(KEY_LENGTH + 1))
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await archive.next()
    const isMemory = [MEMORY_FILE, STATE_FILE].some((name) => entry.name === `${key}/${name}`)
    if (isMemory) await saveMemory(archive, entry, path)
    else await archive.save(entry, path)
    if (entry.name.startsWith(`${key}/${FILES_DIRECTORY}/`)) requireOwnContent(archive, entry.name, path)
  }
}

async function skip(archive: ArchiveReader, key: string): Promise<void> {
  while ((await archive.peek())?.name.startsWith(key) === true) await archive.next()
}

/** Writes guest memory as a sparse file, with the saved modification time, by which the store verifies it. */
async function saveMemory(archive: ArchiveReader, entry: ArchiveEntry, path: string): Promise<void> {
  {
    await using file = await open(path, 'wx', 0o600)
    await file.truncate(entry.size)
    let at = 0
    for await (const chunk of archive.chunks(entry)) {
      await writeSparse(file, chunk, at)
      at += chunk.length
    }
  }
  await utimes(path, entry.mtime, entry.mtime)
}
