/**
 * Saved machines on disk, kept between runs: one folder a template, under the user's cache. A folder appears whole, by a
 * rename, and is never changed afterwards: clones map its memory file, and a change would be a change of running machines.
 */
import { createHash } from 'node:crypto'
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ColdbootError } from '../../errors.ts'
import { Cache, cacheUnusable } from '../../host/cache.ts'
import { readEnvironment } from '../../host/environment.ts'

/** A template that can be started from. */
export interface StoredTemplate {
  readonly directory: string
  /** Guest memory, sparse, as large as the guest's memory. */
  readonly memoryFile: string
  /** Copies of the files that the machine had made in its private directory: disk overlays, variables of the firmware. */
  readonly filesDirectory: string
  /** What the console printed until the save. */
  readonly console: Uint8Array
  /** Of each device the content that a restored guest can be shown anew; null of the others. */
  readonly contents: readonly (string | null)[]
  /** Opens the device state for reading; the caller closes it. */
  openState(): number
}

/** A machine that cannot be saved, and why: kept too, so that it is tried once. */
export interface Unsavable {
  readonly unsavable: string
}

/** What is known of a folder's content. */
interface Manifest {
  readonly unsavable?: string
  readonly memory?: { readonly size: number; readonly mtimeMs: number }
  /** Hexadecimal. */
  readonly state?: string
  readonly console?: string
  readonly contents?: string
}

/** What {@link TemplateStore.prune} keeps. */
export interface PruneLimits {
  /** Templates that were not used for this long go, milliseconds. @default 14 days */
  readonly maxAgeMs?: number
  /** Together they take no more than this on the disk, bytes; the ones used longest ago go first. @default 8 GiB */
  readonly maxBytes?: number
}

/** Names inside a template's folder. */
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

  /**
   * The template of a key, checked: one that was damaged is removed, and is not found.
   */
  async find(key: string): Promise<StoredTemplate | Unsavable | undefined> {
    const directory = this.#directory(key)
    const found = read(directory)
    if (found === 'damaged') await this.remove(key)
    else if (found !== undefined) touch(directory)
    return found === 'damaged' ? undefined : found
  }

  /**
   * Finds the template of a key, or makes it while others that want it wait.
   *
   * @param build fills the folder it is given, under the names above; returns why the machine cannot be saved, if so
   * @throws StartError `CACHE_UNUSABLE`; whatever `build` throws
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
      // What the building itself throws is of the machine.
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
      const made = read(this.#directory(key))
      if (made === undefined || made === 'damaged') throw new Error(`The template ${key} vanished while it was made`)
      return made
    })
  }

  async #publish(folder: string, key: string): Promise<void> {
    const directory = this.#directory(key)
    try {
      await rename(folder, directory)
    } catch (error) {
      // Another process has made it meanwhile, where the lock was lost: on a host that was asleep, or too busy to renew it.
      const found = read(directory)
      if (found === undefined || found === 'damaged') throw error
    }
  }

  /** Removes a template. Machines that run from it keep running: their memory stays mapped. */
  async remove(key: string): Promise<void> {
    await rm(this.#directory(key), { recursive: true, force: true })
  }

  /** Removes what was not used for long, and the oldest beyond the size limit. @returns the keys removed */
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

  /** Every template with when it was last used (milliseconds since 1970) and what it takes on the disk (bytes). */
  list(): readonly { readonly key: string; readonly usedMs: number; readonly diskBytes: number }[] {
    let names: readonly string[]
    try {
      names = readdirSync(this.#cache.path('templates'))
    } catch {
      return []
    }
    return names
      .filter((name) => /^[0-9a-f]{32}$/.test(name))
      .flatMap((key) => {
        try {
          const directory = this.#directory(key)
          return [{ key, usedMs: statSync(directory).mtimeMs, diskBytes: diskUse(directory) }]
        } catch {
          // Another process has removed it just now.
          return []
        }
      })
  }

  #name(key: string): string {
    return `templates/${key}`
  }

  #directory(key: string): string {
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
  // Reading the memory file would cost more than the restore: nobody writes to it, so that its time tells. Archives, as CI
  // keeps a cache in, know whole seconds only.
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

/** Writes the manifest of a finished folder. */
function seal(directory: string, unsavable: string | undefined): void {
  const manifest: Manifest = unsavable === undefined ? manifestOf(directory) : { unsavable }
  writeFileSync(join(directory, MANIFEST_FILE), JSON.stringify(manifest), { mode: 0o600 })
}

function manifestOf(directory: string): Manifest {
  const memoryFile = join(directory, MEMORY_FILE)
  // Its owner may write: QEMU opens it for that, though clones map it privately, and only root could without.
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
    // A cache that may only be read serves as well; nothing of it is pruned by its age then.
  }
}

function diskUse(directory: string): number {
  let bytes = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).blocks * 512
  }
  return bytes
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

/** The saved machines of this user: in the cache, or where COLDBOOT_CACHE says. */
export function templateStore(): TemplateStore {
  return new TemplateStore(new Cache(readEnvironment().cacheDirectory))
}
