/**
 * Cache folder for kernels, images and templates, shared by all processes of this user. An entry is created under a
 * lock and appears atomically, by a rename. Entries do not contain their path, so that a CI job can restore the cache
 * elsewhere.
 */

import { createReadStream } from 'node:fs'
import { access, constants, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { messageOf, StartError } from '../../errors.ts'
import { wallClock } from '../clock.ts'
import { nodeCrypto } from '../lazy-node.ts'
import { makeDirectory } from './make-directory.ts'

/** Name prefix of unfinished entries, at the top of the cache. */
const UNFINISHED = '.new-'
/** Age after which an unfinished entry belongs to a killed process. Milliseconds. */
const ABANDONED_MS = 24 * 60 * 60 * 1000
const PRIVATE_MODE = 0o700

/** A file of the cache, with the data to verify it. */
export interface StoredFile {
  /** Path inside the cache. */
  readonly name: string
  readonly sizeBytes: number
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string
  /** Modification time. A file with this time and size is trusted without reading it. */
  readonly mtimeSeconds: number
}

/** The cache. Names are paths inside it, with slashes. */
export class Cache {
  readonly directory: string

  constructor(directory: string) {
    this.directory = resolve(directory)
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  /**
   * Runs `make` while holding the lock of `name`, so that one process works and the others wait. The lock of a dead
   * process expires after 10 s. If a process holds the lock for more than 10 minutes, the work is done twice, which is
   * safe because entries appear atomically.
   * @param onWait called once if another process holds the lock
   * @param signal ends the wait for the lock, with its reason, when it aborts
   */
  async locked<T>(name: string, make: () => Promise<T>, onWait?: () => void, signal?: AbortSignal): Promise<T> {
    const path = this.path(name)
    const { acquireLock } = await import('./file-lock.ts')
    const release = await acquireLock(path, { check: () => this.#make(dirname(path)), onWait, signal })
    try {
      return await make()
    } finally {
      await release().catch(() => {})
    }
  }

  /**
   * Runs `work` with a temporary directory (mode 0700) on the file system of the cache, and removes it afterwards.
   */
  async scratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
    await this.#make(this.directory)
    await this.#removeAbandoned()
    const directory = await mkdtemp(this.path(UNFINISHED))
    try {
      return await work(directory)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }

  /** Writes a file atomically. */
  async publish(name: string, data: Uint8Array | string): Promise<StoredFile> {
    const temporary = this.path(`${UNFINISHED}${nodeCrypto().randomUUID()}`)
    await this.#make(this.directory)
    try {
      await writeFile(temporary, data, { mode: 0o600 })
      return await this.adopt(name, temporary, nodeCrypto().createHash('sha256').update(data).digest('hex'))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /** Moves a file on the same file system into the cache. @param sha256 checksum, hexadecimal */
  async adopt(name: string, file: string, sha256: string): Promise<StoredFile> {
    await this.#make(dirname(this.path(name)))
    await rename(file, this.path(name))
    const { size, mtimeMs } = await stat(this.path(name))
    return { name, sizeBytes: size, mtimeSeconds: wholeSeconds(mtimeMs), sha256 }
  }

  /**
   * Whether the file is unchanged. It is read only if its time differs, as in a copied cache. The time is then
   * restored, so that the file is read only once.
   */
  async holds({ name, sizeBytes, mtimeSeconds, sha256 }: StoredFile): Promise<boolean> {
    const path = this.path(name)
    const stats = await stat(path).catch(() => undefined)
    if (stats?.size !== sizeBytes) return false
    if (wholeSeconds(stats.mtimeMs) === mtimeSeconds) return true
    if ((await fileSha256(path)) !== sha256) return false
    await utimes(path, stats.atime, mtimeSeconds)
    return true
  }

  /** Creates a folder. @throws StartError `CACHE_UNUSABLE`, also if the folder exists but is not writable */
  async #make(directory: string): Promise<void> {
    try {
      makeDirectory(directory, PRIVATE_MODE)
      await access(directory, constants.W_OK)
    } catch (cause) {
      throw cacheUnusable(this.directory, cause)
    }
  }

  async #removeAbandoned(): Promise<void> {
    const names = await readdir(this.directory)
    for (const name of names.filter((entry) => entry.startsWith(UNFINISHED))) {
      const stats = await stat(this.path(name)).catch(() => undefined)
      if (stats && wallClock() - stats.mtimeMs > ABANDONED_MS)
        await rm(this.path(name), { recursive: true, force: true })
    }
  }

  /** Reads JSON; undefined if the file does not exist or is not valid. */
  async readJson(name: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.path(name), 'utf8'))
    } catch {
      return undefined
    }
  }
}

/** Creates the error for a cache that cannot be used. @param why @default the message of `cause` */
export function cacheUnusable(directory: string, cause: unknown, why?: string): StartError {
  const reason = why ?? messageOf(cause)
  return new StartError('CACHE_UNUSABLE', `The cache folder ${directory} cannot be used: ${reason}`, { cause })
}

// Whole seconds survive in every archive format and file system.
function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}

/** SHA-256 of a file, hexadecimal. Reads the file in chunks. */
export async function fileSha256(path: string): Promise<string> {
  const hash = nodeCrypto().createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
