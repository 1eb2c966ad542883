/**
 * The image on its way: a file of another name beside it, which takes its place in one step at the end. Whoever looks
 * sees the old image, the new one, or none; never half of one.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { MkfatfsError, reasonOf } from '../errors.ts'

/**
 * Where the image goes, without links, after a look at what is there.
 * @param source the directory that is packed, without links
 * @throws MkfatfsError `IMAGE_PATH`
 */
export async function resolveImagePath(image: string, source: string): Promise<string> {
  const wrong = (why: string, cause?: unknown) =>
    new MkfatfsError('IMAGE_PATH', `Cannot write "${image}": ${why}.`, { cause })
  const present = await stat(image).catch(() => undefined)
  if (present !== undefined && !present.isFile()) {
    throw wrong(
      present.isDirectory() ? 'it is a directory' : 'it is not a regular file; write a file first, then copy it',
    )
  }
  const directory = await realpath(dirname(resolve(image))).catch((error: unknown) => {
    throw wrong(`its directory is not there (${reasonOf(error)})`, error)
  })
  const path = present ? await realpath(image) : join(directory, basename(resolve(image)))
  if (path.startsWith(join(source, sep))) throw wrong('it lies in the directory that is packed')
  return path
}

/**
 * Has `write` fill a new file of `size` bytes, all zero at first, and puts it at `path`. If anything fails, the file
 * goes, and what was at `path` stays.
 * @throws MkfatfsError `WRITE_FAILED`, and what `write` throws
 */
export async function writeAtomically(
  path: string,
  size: number,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const draft = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(draft, 'wx+')
    try {
      await file.truncate(size)
      await write(file)
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

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
