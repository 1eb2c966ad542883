/**
 * Stores templates on disk: one folder per template in the cache. A folder is created atomically by a rename and never
 * changed afterwards, because running machines map its memory file.
 */

import { closeSync, openSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ColdbootError, OptionError } from '../../errors.ts'
import { wallClock } from '../../host/clock.ts'
import { readEnvironment } from '../../host/environment.ts'
import { Cache, cacheUnusable } from '../../host/files/cache.ts'
import { diskUse } from './disk-use.ts'
import {
  BASELESS,
  baseOf,
  type LayerParts,
  MEMORY_FILE,
  readTemplateFolder,
  STATE_FILE,
  type StoredTemplate,
  sealTemplateFolder,
  type Unsavable,
} from './template-folder.ts'
import { isTemplateKey } from './template-key.ts'

/** Limits of {@link TemplateStore.prune}. */
export interface PruneLimits {
  /** Templates not used for this long are removed, milliseconds. @default 14 days */
  readonly maxAgeMs?: number
  /** Most disk space of all templates, bytes. The least recently used ones are removed first. @default 8 GiB */
  readonly maxBytes?: number
}

/** Fills the folder of a new template. See {@link TemplateStore.findOrMake}. */
export type BuildTemplate = (directory: string) => Promise<string | LayerParts | undefined>

/** A template in {@link TemplateStore.list}. */
export interface TemplateEntry {
  readonly key: string
  /** Time of its last use, milliseconds since 1970. */
  readonly usedMs: number
  /** Disk space, bytes. */
  readonly diskBytes: number
  /** For a layer: key of the template below it. */
  readonly base: string | undefined
}

const MAX_AGE_MS = 14 * 24 * 60 * 60 * 1000
const MAX_BYTES = 8 * 2 ** 30

/** All templates of a cache. */
export class TemplateStore {
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** Folder of cached digests of files. */
  get digests(): string {
    return this.#cache.path('digests')
  }

  /** Finds the template with a key. A damaged template, or a layer without its base, is removed and not returned. */
  async find(key: string): Promise<StoredTemplate | Unsavable | undefined> {
    const found = this.#read(key)
    if (typeof found === 'string') {
      await this.remove(key)
      return undefined
    }
    if (found !== undefined) for (const used of this.lineage(key)) touch(this.directory(used))
    return found
  }

  /** Keys of the templates below a layer, the lowest first, then its own key. */
  lineage(key: string): readonly string[] {
    const keys: string[] = []
    // In a damaged cache, layers may form a cycle.
    for (let next: string | undefined = key; next !== undefined && !keys.includes(next); ) {
      keys.unshift(next)
      next = baseOf(this.directory(next))
    }
    return keys
  }

  /**
   * Finds the template with a key, or builds it while other processes wait.
   *
   * @param build fills a folder with the files named in `template-folder.ts`; returns the reason if the machine cannot
   * be saved, the parts of a layer, or undefined for another template
   * @param signal ends the wait for another process, with its reason, when it aborts
   * @throws StartError `CACHE_UNUSABLE`; any error of `build`
   */
  async findOrMake(key: string, build: BuildTemplate, signal?: AbortSignal): Promise<StoredTemplate | Unsavable> {
    const builds: Promise<unknown>[] = []
    const make: BuildTemplate = (directory) => {
      const building = build(directory)
      builds.push(building)
      return building
    }
    try {
      return await this.#findOrMake(key, make, signal)
    } catch (error) {
      // Errors of `build` concern the machine, not the cache, so they are not converted.
      await Promise.all(builds)
      const isAborted = signal?.aborted === true && error === signal.reason
      throw isAborted || ColdbootError.is(error) ? error : cacheUnusable(this.#cache.directory, error)
    }
  }

  async #findOrMake(
    key: string,
    build: BuildTemplate,
    signal: AbortSignal | undefined,
  ): Promise<StoredTemplate | Unsavable> {
    const found = await this.find(key)
    if (found !== undefined) return found
    const make = async (): Promise<StoredTemplate | Unsavable> => {
      const meanwhile = await this.find(key)
      if (meanwhile !== undefined) return meanwhile
      await this.#cache.scratch(async (scratch) => {
        const made = await build(scratch)
        if (typeof made === 'string') {
          for (const name of [MEMORY_FILE, STATE_FILE]) await rm(join(scratch, name), { force: true })
        }
        sealTemplateFolder(scratch, made)
        await this.#publish(scratch, key)
      })
      await this.prune({}, key)
      const made = this.#read(key)
      if (made === undefined || typeof made === 'string')
        throw new Error(`The template ${key} vanished while it was made`)
      return made
    }
    return this.#cache.locked(this.#name(key), make, undefined, signal)
  }

  /**
   * Adds a template that was made elsewhere, unless the store has a template with this key. A layer is added only if
   * the store has the base over which it was made.
   *
   * @param fill writes all files of the folder
   * @throws OptionError `MACHINE_FILE_INVALID` when the template is incomplete; StartError `CACHE_UNUSABLE`; any error
   * of `fill`
   */
  adopt(key: string, fill: (directory: string) => Promise<void>): Promise<'added' | 'present' | 'misfit'> {
    return this.#cache.locked(this.#name(key), async () => {
      if ((await this.find(key)) !== undefined) return 'present'
      return this.#cache.scratch(async (scratch) => {
        await fill(scratch)
        const filled = this.#read(key, scratch)
        if (filled === BASELESS) return 'misfit'
        if (filled === 'damaged') {
          throw new OptionError('MACHINE_FILE_INVALID', `The template ${key} is incomplete`)
        }
        await this.#publish(scratch, key)
        return 'added'
      })
    })
  }

  /**
   * Adds a folder with files that are derived from a template.
   * @param name name of the added folder
   * @param fill writes the files; returns false to add nothing
   */
  compose({ key, id }: StoredTemplate, name: string, fill: (directory: string) => Promise<boolean>): Promise<void> {
    return this.#cache.locked(this.#name(key), async () => {
      const found = await this.find(key)
      const directory = join(this.directory(key), name)
      const isSame = typeof found === 'object' && 'id' in found && found.id === id
      if (!isSame) return
      await this.#cache.scratch(async (scratch) => {
        if (!(await fill(scratch))) return
        await rm(directory, { recursive: true, force: true })
        await rename(scratch, directory)
      })
    })
  }

  async #publish(folder: string, key: string): Promise<void> {
    const directory = this.directory(key)
    try {
      await rename(folder, directory)
    } catch (error) {
      // Another process may have built the template if the lock was lost, for example because the host was asleep.
      const found = this.#read(key)
      if (found === undefined || typeof found === 'string') throw error
    }
  }

  /** Removes a template. Machines started from it keep running, because their memory stays mapped. */
  async remove(key: string): Promise<void> {
    await rm(this.directory(key), { recursive: true, force: true })
  }

  /**
   * Removes templates beyond the age and size limits, and layers whose base is removed. Templates below a layer that is
   * kept are kept too.
   * @param used key of a template that is kept even beyond the limits, because a machine will be started from it
   * @returns the removed keys
   */
  async prune(limits: PruneLimits = {}, used?: string): Promise<readonly string[]> {
    const { maxAgeMs = MAX_AGE_MS, maxBytes = MAX_BYTES } = limits
    const templates = this.list()
    const sizes = new Map(templates.map(({ key, diskBytes }) => [key, diskBytes]))
    const sizeOf = (keys: Iterable<string>): number => [...keys].reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0)
    const kept = new Set(used === undefined ? [] : this.lineage(used))
    let bytes = sizeOf(kept)
    for (const { key, usedMs } of templates.toSorted((a, b) => b.usedMs - a.usedMs)) {
      if (kept.has(key)) continue
      const needed = this.lineage(key).filter((name) => !kept.has(name))
      const isTooMuch = bytes + sizeOf(needed) > maxBytes
      if (wallClock() - usedMs > maxAgeMs || isTooMuch || this.#read(key) === BASELESS) continue
      bytes += sizeOf(needed)
      for (const name of needed) kept.add(name)
    }
    const removed = templates.map(({ key }) => key).filter((key) => !kept.has(key))
    for (const key of removed) await this.remove(key)
    return removed
  }

  /** Lists all templates. */
  list(): readonly TemplateEntry[] {
    let names: readonly string[]
    try {
      names = readdirSync(this.#cache.path('templates'))
    } catch {
      return []
    }
    return names.filter(isTemplateKey).flatMap((key) => {
      try {
        const directory = this.directory(key)
        const { mtimeMs: usedMs } = statSync(directory)
        return [{ key, usedMs, diskBytes: diskUse(directory), base: baseOf(directory) }]
      } catch {
        // Another process has just removed the template.
        return []
      }
    })
  }

  /**
   * @param directory folder of the template @default the folder of the key
   * @param above keys of the layers above it; a base among them would be a cycle
   */
  #read(
    key: string,
    directory: string = this.directory(key),
    above: readonly string[] = [],
  ): ReturnType<typeof readTemplateFolder> {
    const layers = [...above, key]
    return readTemplateFolder(key, directory, (base) =>
      layers.includes(base) ? undefined : this.#read(base, undefined, layers),
    )
  }

  #name(key: string): string {
    return `templates/${key}`
  }

  /** Path of the folder of a template, which may not exist. */
  directory(key: string): string {
    return this.#cache.path(this.#name(key))
  }
}

function touch(directory: string): void {
  try {
    const now = new Date()
    utimesSync(directory, now, now)
  } catch {
    // A read-only cache also works, but the time of last use is not updated.
  }
}

/** Runs `work` with an open descriptor of the state file. */
export async function withState<T>(template: StoredTemplate, work: (stateFd: number) => Promise<T>): Promise<T> {
  const fd = openSync(template.stateFile, 'r')
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
