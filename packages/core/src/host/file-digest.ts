/**
 * What is in a file, as a hash; remembered by the file's identity, because a kernel or a disk is too large to be read in
 * front of every test.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/**
 * SHA-256 of a file's content, in hexadecimal digits.
 *
 * @param memory folder of remembered digests. A file is known again by device, inode, size, and both of its times to the
 * nanosecond: the change time cannot be set back by a program.
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
    // Where it cannot be remembered, as on a disk that is full, it is only slower the next time.
    await remember(memory, remembered, digest).catch(() => {})
    return digest
  }
}

async function remember(memory: string, path: string, digest: string): Promise<void> {
  await mkdir(memory, { recursive: true, mode: 0o700 })
  // Whole or not at all: another worker may read it at this moment.
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, digest, { mode: 0o600 })
  await rename(draft, path)
}
