/** Creates unnamed files in the shared memory of the host. Such a file is removed when the last process closes it. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { copySparse } from './sparse-file.ts'

const DIRECTORY = '/dev/shm'
/** f_type of tmpfs (TMPFS_MAGIC in linux/magic.h). */
const TMPFS = 0x0102_1994

/** Creates a file. @returns undefined if the host has no shared memory, or less than twice the size is free */
export async function unnamedMemoryFile(bytes: number): Promise<FileHandle | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const { type, bavail, bsize } = await statfs(DIRECTORY)
    if (type !== TMPFS || bavail * bsize < 2 * bytes) return undefined
    const path = join(DIRECTORY, `coldboot-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600)
    await unlink(path)
    return file
  } catch {
    return undefined
  }
}

/** Copies the file, without the blocks that are all zero. */
export function copyMemory({ fd }: FileHandle, path: string): Promise<void> {
  return copySparse(`/proc/self/fd/${fd}`, path)
}
