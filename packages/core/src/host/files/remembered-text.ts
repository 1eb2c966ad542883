/** Stores texts that are slow to compute, such as digests of large files, in a folder of the cache. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeCrypto } from '../lazy-node.ts'
import { makeDirectory } from './make-directory.ts'

/**
 * Returns the stored text for an identity, or computes and stores it.
 *
 * @param identity all inputs of the text
 * @param form matches a complete text. After a power loss, a stored text may be empty.
 */
export async function rememberedText(
  folder: string,
  identity: string,
  form: RegExp,
  find: () => Promise<string>,
): Promise<string> {
  const path = join(folder, nodeCrypto().createHash('sha256').update(identity).digest('hex'))
  const stored = await readFile(path, 'utf8').catch(() => undefined)
  if (stored !== undefined && form.test(stored)) return stored
  const text = await find()
  // If it cannot be stored, for example on a full disk, it is computed again the next time.
  await remember(folder, path, text).catch(() => {})
  return text
}

async function remember(folder: string, path: string, text: string): Promise<void> {
  makeDirectory(folder, 0o700)
  // Written atomically, because another worker may read it at the same time.
  const draft = `${path}.${nodeCrypto().randomUUID()}`
  await writeFile(draft, text, { mode: 0o600 })
  await rename(draft, path)
}
