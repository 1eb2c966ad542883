/** Texts that are slow to find out, in a folder of the cache, for example digests of large files. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeCrypto } from '../lazy-node.ts'
import { makeDirectory } from './make-directory.ts'

/**
 * The text of an identity, from the folder if it was found out before.
 *
 * @param identity everything that the text depends on
 */
export async function rememberedText(folder: string, identity: string, find: () => Promise<string>): Promise<string> {
  const path = join(folder, nodeCrypto().createHash('sha256').update(identity).digest('hex'))
  try {
    return await readFile(path, 'utf8')
  } catch {
    const text = await find()
    // If it cannot be remembered, for example on a full disk, the next time is only slower.
    await remember(folder, path, text).catch(() => {})
    return text
  }
}

async function remember(folder: string, path: string, text: string): Promise<void> {
  makeDirectory(folder, 0o700)
  // Written atomically, because another worker may read it at the same time.
  const draft = `${path}.${nodeCrypto().randomUUID()}`
  await writeFile(draft, text, { mode: 0o600 })
  await rename(draft, path)
}
