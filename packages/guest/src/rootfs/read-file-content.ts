/** Reads the content of a file of a tree. */
import { open } from 'node:fs/promises'
import { OptionError } from '@coldboot/core'
import { messageOf } from '@coldboot/core/internal'
import type { RootFile } from './root-tree.ts'

const CHUNK = 4 << 20

/** Returns the whole content. @throws as {@link fileChunks} */
export async function readFileContent(file: RootFile): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of fileChunks(file)) chunks.push(chunk)
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
}

/** Yields the content in chunks. @throws OptionError `FILE_MISSING` for a file that cannot be read, or was changed since */
export async function* fileChunks({ content, size }: RootFile): AsyncGenerator<Uint8Array> {
  if (size === 0) return
  const unreadable = (why: string, cause?: unknown): OptionError =>
    new OptionError('FILE_MISSING', `rootfs: ${content.path} cannot be read: ${why}`, { cause })
  await using file = await open(content.path).catch((cause: unknown) => {
    throw unreadable(messageOf(cause), cause)
  })
  for (let at = 0; at < size; ) {
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK, size - at))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, content.offset + at)
    if (bytesRead === 0) throw unreadable('it became shorter')
    yield bytes.subarray(0, bytesRead)
    at += bytesRead
  }
}
