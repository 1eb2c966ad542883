/**
 * Templates on disk: one folder per template in the cache. A folder is created atomically by a rename and never changed
 * afterwards, because running machines map its memory file.
 */
import { closeSync, openSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ColdbootError, OptionError } from '../../errors.ts'
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
  /** Key of the template that it is a layer over. */
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

  /** Folder of remembered digests of files. */
  get digests(): string {
    return this.#cache.path('digests')
  }

  /** Finds the template of a key. A damaged template, or a layer without its base, is removed and not returned. */
  async find(key: string): Promise<StoredTemplate | Unsavable | undefined> {
    const found = this.#read(key)
    if (typeof found === 'string') {
      await this.remove(key)
      return undefined
    }
    if (found !== undefined) for (const used of this.lineage(key)) touch(this.directory(used))
    return found
  }

  /** The key of a template, after those of the templates that it is a layer over. */
  lineage(key: string): readonly string[] {
    const keys: string[] = []
    // A damaged cache may have templates that are over each other.
    for (let next: string | undefined = key; next !== undefined && !keys.includes(next); ) {
      keys.unshift(next)
      next = baseOf(this.directory(next))
    }
    return keys
  }

  /**
   * Finds the template of a key, or builds it while other processes wait.
   *
   * @param build fills a folder with the files named in `template-folder.ts`; returns the reason if the machine cannot
   * be saved, and the parts of a layer
   * @throws StartError `CACHE_UNUSABLE`; any error of `build`
   */
  async findOrMake(key: string, build: BuildTemplate): Promise<StoredTemplate | Unsavable> {
    const builds: Promise<unknown>[] = []
    const make: BuildTemplate = (directory) => {
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

  async #findOrMake(key: string, build: BuildTemplate): Promise<StoredTemplate | Unsavable> {
    const found = await this.find(key)
    if (found !== undefined) return found
    return this.#cache.locked(this.#name(key), async () => {
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
      await this.prune()
      const made = this.#read(key)
      if (made === undefined || typeof made === 'string')
        throw new Error(`The template ${key} vanished while it was made`)
      return made
    })
  }

  /**
   * Adds a template that was made elsewhere, unless there is one of this key. A layer fits the base that it was made over,
   * and no other one of the same key.
   *
   * @param fill writes all files of its folder
   * @throws OptionError `MACHINE_FILE_INVALID` when it is not whole; StartError `CACHE_UNUSABLE`; whatever `fill` throws
   */
  adopt(key: string, fill: (directory: string) => Promise<void>): Promise<'added' | 'present' | 'misfit'> {
    return this.#cache.locked(this.#name(key), async () => {
      if ((await this.find(key)) !== undefined) return 'present'
      return this.#cache.scratch(async (scratch) => {
        await fill(scratch)
        const filled = this.#read(key, scratch)
        if (filled === BASELESS) return 'misfit'
        if (filled === 'damaged') {
          throw new OptionError('MACHINE_FILE_INVALID', `The template ${key} is not whole`)
        }
        await this.#publish(scratch, key)
        return 'added'
      })
    })
  }

  /**
   * Adds files that are derived from a template to it, in a folder of their own.
   * @param fill writes the files; returns false to add none
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
      // If the lock was lost, on a host that was asleep or too busy to renew it, another process may have built the
      // template.
      const found = this.#read(key)
      if (found === undefined || typeof found === 'string') throw error
    }
  }

  /** Removes a template. Machines started from it keep running, because their memory stays mapped. */
  async remove(key: string): Promise<void> {
    await rm(this.directory(key), { recursive: true, force: true })
  }

  /**
   * Removes templates beyond the age and size limits, except those that a kept layer is over, and layers without their
   * base. @returns the keys removed
   */
  async prune(limits: PruneLimits = {}): Promise<readonly string[]> {
    const { maxAgeMs = MAX_AGE_MS, maxBytes = MAX_BYTES } = limits
    const templates = this.list()
    const kept = new Set<string>()
    let bytes = 0
    for (const { key, usedMs } of templates.toSorted((a, b) => b.usedMs - a.usedMs)) {
      if (kept.has(key)) continue
      const needed = this.lineage(key).filter((name) => !kept.has(name))
      bytes += templates.reduce((sum, one) => sum + (needed.includes(one.key) ? one.diskBytes : 0), 0)
      if (Date.now() - usedMs > maxAgeMs || bytes > maxBytes || this.#read(key) === BASELESS) continue
      for (const name of needed) kept.add(name)
    }
    const removed = templates.map(({ key }) => key).filter((key) => !kept.has(key))
    for (const key of removed) await this.remove(key)
    return removed
  }

  /** All templates. */
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
        // Another process has just removed it.
        return []
      }
    })
  }

  /**
   * @param directory @default that of the key
   * @param above keys of the layers over it, which cannot be below it as well
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

  /** The folder of a template, which may not be there. */
  directory(key: string): string {
    return this.#cache.path(this.#name(key))
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

/** Runs `work` with a template's open state. */
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
