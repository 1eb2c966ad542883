/** Writes to a file until all bytes are written or the system reports an error. */
import type { FileHandle } from 'node:fs/promises'

/**
 * Writes chunks one after the other. On a disk that is almost full, the system writes only a part and reports no error.
 * Writing the rest then fails with the reason.
 *
 * @param position offset in the file, bytes @default after the previous write
 * @throws the system's error
 */
export async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], position?: number): Promise<void> {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  if (length === 0) return
  let { bytesWritten: written } = await file.writev(chunks, position)
  if (written === length) return
  for (const bytes = Buffer.concat(chunks); written < length; ) {
    const at = position === undefined ? undefined : position + written
    written += (await file.write(bytes, written, length - written, at)).bytesWritten
  }
}
