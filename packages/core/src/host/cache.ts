/**
 * The folder in which kernels and images are kept between runs, shared by every process of this user. Whoever makes an
 * entry holds its lock; an entry appears whole, by a rename, or not at all. Nothing in it says where it lies, so that a
 * CI job can keep it and put it elsewhere.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { StartError } from '../errors.ts'

/** A lock not renewed for this long belongs to a dead process. Milliseconds. */
const STALE_MS = 10_000
/** One who waits does the work after this long. Milliseconds. */
const PATIENCE_MS = 10 * 60 * 1000
/** How often one who waits looks again. Milliseconds. */
const LOOK_AGAIN_MS = { minTimeout: 20, maxTimeout: 250 }
/** Half-made entries lie under this name at the top of the cache. */
const UNFINISHED = '.new-'
/** Half-made entries older than this were left by a process that was killed. Milliseconds. */
const ABANDONED_MS = 24 * 60 * 60 * 1000
const PRIVATE_DIRECTORY = { recursive: true, mode: 0o700 }

/** A file of the cache with what tells whether it is still the one that was put there. */
export interface StoredFile {
  /** Path inside the cache. */
  readonly name: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
  /** Of its last change. A file with this time and size is taken for the stored one without reading it. */
  readonly mtimeSeconds: number
}

/** Names are paths inside the cache, with slashes. */
export class Cache {
  readonly directory: string

  constructor(directory: string) {
    this.directory = resolve(directory)
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  /**
   * Runs `make` while holding the lock of `name`, so that of several processes one works and the others wait.
   * A dead owner's lock expires after 10 s; one that lives on without coming to an end is waited for 10 minutes, and
   * then the work is done twice, which is safe: entries appear by a rename.
   * @param onWait called once if another process holds the lock
   */
  async locked<T>(name: string, make: () => Promise<T>, onWait?: () => void): Promise<T> {
    const { lock } = await import('proper-lockfile')
    const path = this.path(name)
    await this.#make(dirname(path))
    // Nor does it matter if the lock is lost, as by a computer that was asleep.
    const options = { realpath: false, stale: STALE_MS, onCompromised: () => {} }
    const patient = { ...options, retries: { forever: true, maxRetryTime: PATIENCE_MS, ...LOOK_AGAIN_MS } }
    const release = await lock(path, options).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error
      onWait?.()
      return lock(path, patient).catch(() => async () => {})
    })
    try {
      return await make()
    } finally {
      await release().catch(() => {})
    }
  }

  /** Runs `work` with a new directory on the cache's file system, mode 0700, that is gone afterwards. */
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

  /** Writes a file, which is there whole or not at all. */
  async publish(name: string, data: Uint8Array | string): Promise<StoredFile> {
    const temporary = this.path(`${UNFINISHED}${randomUUID()}`)
    await this.#make(this.directory)
    try {
      await writeFile(temporary, data, { mode: 0o600 })
      return await this.adopt(name, temporary, createHash('sha256').update(data).digest('hex'))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /** Moves a file on the same file system into the cache. @param sha256 its checksum, hex */
  async adopt(name: string, file: string, sha256: string): Promise<StoredFile> {
    await this.#make(dirname(this.path(name)))
    await rename(file, this.path(name))
    const { size, mtimeMs } = await stat(this.path(name))
    return { name, sizeBytes: size, mtimeSeconds: wholeSeconds(mtimeMs), sha256 }
  }

  /**
   * Whether the file is still what was stored. It is read only if its time is another, as in a cache that was copied; it
   * then gets its time back, so that it is read once.
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

  /** @throws StartError `CACHE_UNUSABLE`, also for a folder that is there and that this user may not write in */
  async #make(directory: string): Promise<void> {
    try {
      await mkdir(directory, PRIVATE_DIRECTORY)
      await access(directory, constants.W_OK)
    } catch (cause) {
      throw cacheUnusable(this.directory, cause)
    }
  }

  async #removeAbandoned(): Promise<void> {
    const names = await readdir(this.directory)
    for (const name of names.filter((entry) => entry.startsWith(UNFINISHED))) {
      const stats = await stat(this.path(name)).catch(() => undefined)
      if (stats && Date.now() - stats.mtimeMs > ABANDONED_MS)
        await rm(this.path(name), { recursive: true, force: true })
    }
  }

  /** Reads JSON; undefined when the file is not there or is not whole. */
  async readJson(name: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.path(name), 'utf8'))
    } catch {
      return undefined
    }
  }
}

/** @param why @default the cause's own words */
export function cacheUnusable(directory: string, cause: unknown, why?: string): StartError {
  const reason = why ?? (cause instanceof Error ? cause.message : String(cause))
  return new StartError('CACHE_UNUSABLE', `The cache folder ${directory} cannot be used: ${reason}`, { cause })
}

// What every archive format and file system keeps.
function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}

/** Hex. The file is read in pieces. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
