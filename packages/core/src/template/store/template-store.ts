/**
 * Templates on disk: one folder per template in the cache. A folder is created atomically by a rename and never changed
 * afterwards, because running machines map its memory file.
 */
import { createHash } from 'node:crypto'
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ColdbootError, OptionError } from '../../errors.ts'
import { readEnvironment } from '../../host/environment.ts'
import { Cache, cacheUnusable } from '../../host/files/cache.ts'
import { diskUse } from './disk-use.ts'
import { isTemplateKey } from './template-key.ts'

/** A stored template. */
export interface StoredTemplate {
  readonly directory: string
  /** File with the guest memory, sparse. */
  readonly memoryFile: string
  /** Copies of the files in the private directory of the machine: disk overlays, firmware variables. */
  readonly filesDirectory: string
  /** Console output until the save. */
  readonly console: Uint8Array
  /** Content of each device that can be attached after a restore; null for other devices. */
  readonly contents: readonly (string | null)[]
  /** Opens the device state for reading; the caller closes it. */
  openState(): number
}

/** A machine that cannot be saved, with the reason. Stored, so that it is not tried again. */
export interface Unsavable {
  readonly unsavable: string
}

/** Content of a template folder. */
interface Manifest {
  readonly unsavable?: string
  readonly memory?: { readonly size: number; readonly mtimeMs: number }
  /** Hexadecimal. */
  readonly state?: string
  readonly console?: string
  readonly contents?: string
}

/** Limits of {@link TemplateStore.prune}. */
export interface PruneLimits {
  /** Templates not used for this long are removed, milliseconds. @default 14 days */
  readonly maxAgeMs?: number
  /** Most disk space of all templates, bytes. The least recently used ones are removed first. @default 8 GiB */
  readonly maxBytes?: number
}

/** File names inside a template folder. */
export const MEMORY_FILE = 'memory'
export const STATE_FILE = 'state'
export const CONSOLE_FILE = 'console.log'
export const FILES_DIRECTORY = 'files'
export const CONTENTS_FILE = 'contents.json'
const MANIFEST_FILE = 'manifest.json'

const MAX_AGE_MS = 14 * 24 * 60 * 60 * 1000
const MAX_BYTES = 8 * 2 ** 30

/** All templates of a cache. */
export class TemplateStore {
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** Folder of remembered digests of files. */
  get digests(): string {
    return this.#cache.path('digests')
  }

  /** Finds the template of a key. A damaged template is removed and not returned. */
  async find(key: string): Promise<StoredTemplate | Unsavable | undefined> {
    const directory = this.directory(key)
    const found = read(directory)
    if (found === 'damaged') await this.remove(key)
    else if (found !== undefined) touch(directory)
    return found === 'damaged' ? undefined : found
  }

  /**
   * Finds the template of a key, or builds it while other processes wait.
   *
   * @param build fills a folder with the files named above; returns the reason if the machine cannot be saved
   * @throws StartError `CACHE_UNUSABLE`; any error of `build`
   */
  async findOrMake(
    key: string,
    build: (directory: string) => Promise<string | undefined>,
  ): Promise<StoredTemplate | Unsavable> {
    const builds: Promise<unknown>[] = []
    const make = (directory: string): Promise<string | undefined> => {
      const building = build(directory)
      builds.push(building)
      return building
    }
    try {
      return await this.#findOrMake(key, make)
    } catch (error) {
      // Errors of `build` are about the machine, not the cache.
      await Promise.all(builds)
      throw ColdbootError.is(error) ? error : cacheUnusable(this.#cache.directory, error)
    }
  }

  async #findOrMake(
    key: string,
    build: (directory: string) => Promise<string | undefined>,
  ): Promise<StoredTemplate | Unsavable> {
    const found = await this.find(key)
    if (found !== undefined) return found
    return this.#cache.locked(this.#name(key), async () => {
      const meanwhile = await this.find(key)
      if (meanwhile !== undefined) return meanwhile
      await this.#cache.scratch(async (scratch) => {
        const reason = await build(scratch)
        if (reason !== undefined) await rm(join(scratch, MEMORY_FILE), { force: true })
        seal(scratch, reason)
        await this.#publish(scratch, key)
      })
      await this.prune()
      const made = read(this.directory(key))
      if (made === undefined || made === 'damaged') throw new Error(`The template ${key} vanished while it was made`)
      return made
    })
  }

  /**
   * Adds a template that was made elsewhere, unless there is one of this key.
   *
   * @param fill writes all files of its folder
   * @returns whether it was added
   * @throws OptionError `MACHINE_FILE_INVALID` when it is not whole; StartError `CACHE_UNUSABLE`; whatever `fill` throws
   */
  adopt(key: string, fill: (directory: string) => Promise<void>): Promise<boolean> {
    return this.#cache.locked(this.#name(key), async () => {
      if ((await this.find(key)) !== undefined) return false
      await this.#cache.scratch(async (scratch) => {
        await fill(scratch)
        if (read(scratch) === 'damaged') {
          throw new OptionError('MACHINE_FILE_INVALID', `The template ${key} is not whole`)
        }
        await this.#publish(scratch, key)
      })
      return true
    })
  }

  async #publish(folder: string, key: string): Promise<void> {
    const directory = this.directory(key)
    try {
      await rename(folder, directory)
    } catch (error) {
      // If the lock was lost, on a host that was asleep or too busy to renew it, another process may have built the
      // template.
      const found = read(directory)
      if (found === undefined || found === 'damaged') throw error
    }
  }

  /** Removes a template. Machines started from it keep running, because their memory stays mapped. */
  async remove(key: string): Promise<void> {
    await rm(this.directory(key), { recursive: true, force: true })
  }

  /** Removes templates beyond the age and size limits. @returns the keys removed */
  async prune(limits: PruneLimits = {}): Promise<readonly string[]> {
    const { maxAgeMs = MAX_AGE_MS, maxBytes = MAX_BYTES } = limits
    const removed: string[] = []
    let bytes = 0
    for (const { key, usedMs, diskBytes } of this.list().toSorted((a, b) => b.usedMs - a.usedMs)) {
      bytes += diskBytes
      if (Date.now() - usedMs <= maxAgeMs && bytes <= maxBytes) continue
      await this.remove(key)
      removed.push(key)
    }
    return removed
  }

  /** All templates with the time of their last use (milliseconds since 1970) and their disk space (bytes). */
  list(): readonly { readonly key: string; readonly usedMs: number; readonly diskBytes: number }[] {
    let names: readonly string[]
    try {
      names = readdirSync(this.#cache.path('templates'))
    } catch {
      return []
    }
    return names.filter(isTemplateKey).flatMap((key) => {
      try {
        const directory = this.directory(key)
        return [{ key, usedMs: statSync(directory).mtimeMs, diskBytes: diskUse(directory) }]
      } catch {
        // Another process has just removed it.
        return []
      }
    })
  }

  #name(key: string): string {
    return `templates/${key}`
  }

  /** The folder of a template, which may not be there. */
  directory(key: string): string {
    return this.#cache.path(this.#name(key))
  }
}

function wholeSeconds(file: { readonly mtimeMs: number } | undefined): number | undefined {
  return file && Math.floor(file.mtimeMs / 1000)
}

function read(directory: string): StoredTemplate | Unsavable | 'damaged' | undefined {
  let manifest: Manifest
  try {
    manifest = JSON.parse(readFileSync(join(directory, MANIFEST_FILE), 'utf8')) as Manifest
  } catch {
    return statSync(directory, { throwIfNoEntry: false }) === undefined ? undefined : 'damaged'
  }
  if (manifest.unsavable !== undefined) return { unsavable: manifest.unsavable }
  const memoryFile = join(directory, MEMORY_FILE)
  const stats = statSync(memoryFile, { throwIfNoEntry: false })
  // Hashing the memory file would take longer than the restore. It is never written, so its time is enough. Archives,
  // such as those of CI caches, only keep whole seconds.
  if (stats?.size !== manifest.memory?.size || wholeSeconds(stats) !== wholeSeconds(manifest.memory)) return 'damaged'
  const [state, console] = [STATE_FILE, CONSOLE_FILE].map((name) => readOrUndefined(join(directory, name)))
  if (state === undefined || sha256(state) !== manifest.state) return 'damaged'
  if (console === undefined || sha256(console) !== manifest.console) return 'damaged'
  const contents = readOrUndefined(join(directory, CONTENTS_FILE))
  if (contents === undefined || sha256(contents) !== manifest.contents) return 'damaged'
  return {
    directory,
    memoryFile,
    contents: JSON.parse(Buffer.from(contents).toString()) as readonly (string | null)[],
    filesDirectory: join(directory, FILES_DIRECTORY),
    console,
    openState: () => openSync(join(directory, STATE_FILE), 'r'),
  }
}

/** Writes the manifest of a complete folder. */
function seal(directory: string, unsavable: string | undefined): void {
  const manifest: Manifest = unsavable === undefined ? manifestOf(directory) : { unsavable }
  writeFileSync(join(directory, MANIFEST_FILE), JSON.stringify(manifest), { mode: 0o600 })
}

function manifestOf(directory: string): Manifest {
  const memoryFile = join(directory, MEMORY_FILE)
  // Writable for its owner, because QEMU opens it for writing although machines map it privately.
  chmodSync(memoryFile, 0o600)
  const { size, mtimeMs } = statSync(memoryFile)
  return {
    memory: { size, mtimeMs },
    state: sha256(readFileSync(join(directory, STATE_FILE))),
    console: sha256(readFileSync(join(directory, CONSOLE_FILE))),
    contents: sha256(readFileSync(join(directory, CONTENTS_FILE))),
  }
}

function touch(directory: string): void {
  try {
    const now = new Date()
    utimesSync(directory, now, now)
  } catch {
    // A read-only cache works too, but its templates are not pruned by age.
  }
}

function readOrUndefined(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Runs `work` with a template's open state. */
export async function withState<T>(template: StoredTemplate, work: (stateFd: number) => Promise<T>): Promise<T> {
  const fd = template.openState()
  try {
    return await work(fd)
  } finally {
    closeSync(fd)
  }
}

/** The template store in the cache folder of this user. */
export function templateStore(): TemplateStore {
  return new TemplateStore(new Cache(readEnvironment().cacheDirectory))
}
