/**
 * Hash of the content of a file, remembered by the identity of the file, because kernels and disks are too large to be
 * read before every test.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/**
 * SHA-256 of a file's content, in hexadecimal digits.
 *
 * @param memory folder of remembered digests. A file is identified by device, inode, size, and modification and change
 * times in nanoseconds. A program cannot set the change time.
 */
export async function fileDigest(path: string, memory: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
  const identity = createHash('sha256').update([dev, ino, size, mtimeNs, ctimeNs].join(' ')).digest('hex')
  const remembered = join(memory, identity)
  try {
    return await readFile(remembered, 'utf8')
  } catch {
    const hash = createHash('sha256')
    await pipeline(createReadStream(path), hash)
    const digest = hash.digest('hex')
    // If it cannot be remembered, for example on a full disk, the next time is only slower.
    await remember(memory, remembered, digest).catch(() => {})
    return digest
  }
}

async function remember(memory: string, path: string, digest: string): Promise<void> {
  await mkdir(memory, { recursive: true, mode: 0o700 })
  // Written atomically, because another worker may read it at the same time.
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, digest, { mode: 0o600 })
  await rename(draft, path)
}
