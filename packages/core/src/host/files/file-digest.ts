/**
 * Hash of the content of a file. The hash is cached by the identity of the file, because kernels and disks are too
 * large to be read before every test.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { nodeCrypto } from '../lazy-node.ts'
import { rememberedText } from './remembered-text.ts'

/**
 * SHA-256 of a file's content, in hexadecimal digits.
 *
 * @param memory folder of cached digests. A file is identified by device, inode, size, and modification and change time
 * in nanoseconds. Programs cannot set the change time.
 */
export async function fileDigest(path: string, memory: string): Promise<string> {
  return rememberedText(memory, await fileIdentity(path), /^[0-9a-f]{64}$/, async () => {
    const hash = nodeCrypto().createHash('sha256')
    await pipeline(createReadStream(path), hash)
    return hash.digest('hex')
  })
}

/** Identity of a file, which changes when its content does. */
export async function fileIdentity(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}
