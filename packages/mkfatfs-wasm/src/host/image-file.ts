/**
 * Writes an image to a temporary file in the same directory, which is renamed to the image's path at the end. Other processes
 * see the old image, the complete new one, or none.
 */

import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { MkfatfsError, reasonOf } from '../errors.ts'
import type { ImageSink } from '../write/sequential-writer.ts'

/**
 * Resolves the path of a new image.
 * @param sources real paths of the directories that are packed
 * @throws MkfatfsError `IMAGE_PATH`
 */
export async function resolveImagePath(image: string, sources: readonly string[]): Promise<string> {
  const wrong = (why: string, cause?: unknown) =>
    new MkfatfsError('IMAGE_PATH', `Cannot write "${image}": ${why}.`, { cause })
  const present = await stat(image).catch(() => undefined)
  if (present !== undefined && !present.isFile()) {
    throw wrong(
      present.isDirectory() ? 'it is a directory' : 'it is not a regular file; write a file first, then copy it',
    )
  }
  const directory = await realpath(dirname(resolve(image))).catch((error: unknown) => {
    throw wrong(`its directory does not exist (${reasonOf(error)})`, error)
  })
  const path = present ? await realpath(image) : join(directory, basename(resolve(image)))
  if (sources.some((source) => path.startsWith(join(source, sep))))
    throw wrong('it lies in the directory that is packed')
  return path
}

/**
 * Calls `write` with a new file of `size` zero bytes and its path, then renames the file to `path`. After a failure, the new file is
 * removed, and an old image is unchanged.
 * @throws MkfatfsError `WRITE_FAILED`, and errors of `write`
 */
export async function writeAtomically(
  path: string,
  size: number,
  write: (file: FileHandle, draft: string) => Promise<void>,
): Promise<void> {
  // Not random, because loading `node:crypto` takes longer than making a small image. `wx` refuses an existing file.
  const unique = `${process.pid}-${process.hrtime.bigint().toString(36)}`
  const draft = join(dirname(path), `.${basename(path).slice(0, 200)}.${unique}.tmp`)
  try {
    const file = await open(draft, 'wx+')
    try {
      await file.truncate(size)
      await write(file, draft)
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    if (!isSystemError(error)) throw error
    throw new MkfatfsError('WRITE_FAILED', `Could not write "${path}": ${error.message}.`, { cause: error })
  }
}

/** A file as the destination of an image. */
export class FileSink implements ImageSink {
  readonly #file: FileHandle

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, position + done)
      done += bytesWritten
    }
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
