/**
 * Composes the memory of a layer into one file at the first start from the layer. Machines then start as fast as from a
 * template without layers. The file takes as much space as the memory of the lowest template, unless the file system
 * shares blocks.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { copySparse } from '../host/files/sparse-file.ts'
import { MemoryFile } from '../machine/save/state/memory-file.ts'
import { composedState, writeState } from '../machine/save/state/state-file.ts'
import {
  COMPOSED_DIRECTORY,
  MEMORY_FILE,
  readComposed,
  STATE_FILE,
  type StoredTemplate,
  sealComposed,
} from './store/template-folder.ts'
import type { TemplateStore } from './store/template-store.ts'

/**
 * Returns the layer with its memory in one file, or unchanged if the file cannot be written, such as in a read-only
 * cache.
 */
export async function composedLayer(stored: StoredTemplate, store: TemplateStore): Promise<StoredTemplate> {
  const present = readComposed(stored)
  if (present || stored.layers.some(({ isWhole }) => isWhole)) return present ?? stored
  try {
    await store.compose(stored, COMPOSED_DIRECTORY, async (directory) => {
      // Another process may have composed it meanwhile.
      return readComposed(stored) === undefined && compose(stored, directory)
    })
  } catch {
    return stored
  }
  return readComposed(stored) ?? stored
}

async function compose({ memoryFile, layers }: StoredTemplate, directory: string): Promise<boolean> {
  const own = layers.at(-1)
  if (own === undefined) return false
  const path = join(directory, MEMORY_FILE)
  await copySparse(memoryFile, path)
  const { size } = statSync(path)
  const state = await withMemory(path, size, (memory) =>
    writeState(composedState(own, layers.slice(0, -1)), join(directory, STATE_FILE), memory),
  )
  if (state.pagesBytes > 0) return false
  sealComposed(directory, state)
  return true
}

/** Runs `work` with a memory file, and writes its last pages before the promise resolves. */
async function withMemory<T>(path: string, size: number, work: (memory: MemoryFile) => Promise<T>): Promise<T> {
  using memory = new MemoryFile(path, size, size)
  return await work(memory)
}
