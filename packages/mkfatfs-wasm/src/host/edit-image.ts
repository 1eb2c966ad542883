/** Changes an image file in a copy, which atomically replaces the file when all changes have succeeded. */
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import {
  type EditFatImage,
  type EditFatImageOptions,
  type EditSupport,
  editBytes,
  editMemory,
} from '../edit/edit-fat-image.ts'
import { MkfatfsError, reasonOf } from '../errors.ts'
import { SequentialWriter } from '../write/sequential-writer.ts'
import { sourceDateEpoch } from './environment.ts'
import { ImageDescriptor, unreadable } from './image-descriptor.ts'
import { FileSink, writeAtomically } from './image-file.ts'
import { codePageSupport } from './open-image.ts'

/** Implements `editFatImage()`. */
export async function editImage(
  image: string | Uint8Array | ArrayBuffer | Blob,
  edit: EditFatImage,
  options: EditFatImageOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const support = { ...(await codePageSupport(options)), latestTime: sourceDateEpoch() }
  if (typeof image !== 'string') return editMemory(image, edit, options, support)
  await editFile(image, edit, options, support)
  return undefined
}

async function editFile(
  image: string,
  edit: EditFatImage,
  options: EditFatImageOptions,
  support: EditSupport,
): Promise<void> {
  const unopened = (cause: unknown): never => {
    throw new MkfatfsError('READ_FAILED', `Could not open "${image}": ${reasonOf(cause)}.`, { cause })
  }
  const path = await realpath(image).catch(unopened)
  const { size, mode } = await stat(path)
  // Opens the image once, to refuse anything but a regular file before the copy.
  new ImageDescriptor(path).close()
  await writeAtomically(path, size, async (file, draft) => {
    await copyImage(path, file, options.signal)
    await editBytes(new ImageDescriptor(draft, { isWritable: true }), edit, options, support)
    await file.chmod(mode & 0o777)
    // Syncs before the rename, so that a crash leaves either the old or the complete new image.
    await file.sync()
    options.signal?.throwIfAborted()
  })
}

/** Copies an image to a file of zeros. Pages of zeros remain holes. */
async function copyImage(path: string, target: FileHandle, signal: AbortSignal | undefined): Promise<void> {
  await using source = await open(path, 'r')
  const writer = new SequentialWriter(new FileSink(target))
  try {
    for (let position = 0; ; ) {
      signal?.throwIfAborted()
      const room = writer.room(1)
      if (room === undefined) {
        await writer.flush()
        continue
      }
      const reading = source.read(room.buffer, room.offset, room.length, position)
      const { bytesRead } = await reading.catch((cause: unknown) => {
        throw unreadable(path, cause)
      })
      if (bytesRead === 0) break
      writer.commit(bytesRead)
      position += bytesRead
    }
    await writer.end()
  } finally {
    await writer.settle()
  }
}
