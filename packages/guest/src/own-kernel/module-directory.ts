/**
 * Reads modules in a build tree, or in the directory `lib/modules/<release>` of an installed kernel. Keeps an index of the
 * modules in the cache, because a build tree can have thousands.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError } from '@coldboot/core'
import type { Cache } from '@coldboot/core/internal'
import { markUsed, RECORD, removeUnused } from '../cache-age.ts'
import { type GuestModules, modulesFor } from '../guest-kernel.ts'
import { type KernelModule, moduleRelease, parseBuiltIn, readModule } from '../modules.ts'
import { MODULE_FILE, unpackModule } from './unpack-module.ts'

/** File with the names of the modules that are built into the kernel. */
const BUILT_IN = 'modules.builtin'

/** Folder of the cache with the indexes. */
const FOLDER = 'kernels/directories'

/** File of a build tree that contains its version. */
export const RELEASE_FILE = 'include/config/kernel.release'

/** A directory with modules of one kernel. */
export interface ModuleDirectory {
  /** Changes with the files of the directory. */
  readonly identity: string
  /** Version that the modules were built for. Without modules, the version in the path; undefined if it has none. */
  readonly release: string | undefined
  /** @throws OptionError `GUEST_MODULE_MISSING`; `KERNEL_MISMATCH` when a module has another version than the others */
  read(wanted: readonly string[]): Promise<GuestModules>
}

/** A module in the cached index of a directory. */
interface IndexedModule {
  /** Size and times of the file. */
  readonly stats: string
  readonly release: string | undefined
  readonly module: KernelModule
}

/** Modules by path, relative to the directory. */
type Index = Readonly<Record<string, IndexedModule>>

/** Opens a directory, and reads the version from one of its modules. */
export async function openModuleDirectory(path: string, cache: Cache): Promise<ModuleDirectory> {
  const isTree = existsSync(join(path, RELEASE_FILE))
  const files = isTree ? builtFiles(path) : installedFiles(path)
  const stats = new Map([...files, BUILT_IN].map((file) => [file, statsOf(join(path, file))]))
  const [sample] = files
  const release =
    sample === undefined ? /\/lib\/modules\/([^/]+)$/.exec(path)?.[1] : moduleRelease(await readUnpacked(path, sample))
  return {
    identity: digest([...stats]),
    release,
    async read(wanted) {
      const index = await readIndex(path, files, stats, cache)
      const byName = new Map(Object.entries(index).map(([file, entry]) => [entry.module.name, { file, ...entry }]))
      const modules = Object.fromEntries([...byName].map(([name, { module }]) => [name, module]))
      const builtIn = parseBuiltIn(linesOf(join(path, BUILT_IN)).join('\n'))
      const read = modulesFor({ modules, builtIn }, wanted).map(async (module) => {
        const { file = '', release: own } = byName.get(module.name) ?? {}
        if (own !== undefined && own !== release) throw mixed(join(path, file), own, release)
        return { module, data: await readUnpacked(path, file) }
      })
      return { files: await Promise.all(read), builtIn }
    },
  }
}

/** Returns the index of all modules. Reads only the files that have changed since the index was stored. */
async function readIndex(
  path: string,
  files: readonly string[],
  stats: ReadonlyMap<string, string>,
  cache: Cache,
): Promise<Index> {
  const record = `${FOLDER}/${digest(path)}${RECORD}`
  const known = ((await cache.readJson(record)) ?? {}) as Index
  const index: Record<string, IndexedModule> = {}
  let isNew = false
  for (const file of files) {
    const [kept, now] = [known[file], stats.get(file) ?? '']
    index[file] = kept?.stats === now ? kept : await indexed(path, file, now)
    isNew ||= index[file] !== kept
  }
  if (isNew) {
    await removeUnused(cache, FOLDER)
    await cache.publish(record, JSON.stringify(index))
  } else if (files.length > 0) await markUsed(cache.path(record))
  return index
}

async function indexed(path: string, file: string, stats: string): Promise<IndexedModule> {
  const data = await readUnpacked(path, file)
  const sha256 = createHash('sha256').update(data).digest('hex')
  return { stats, release: moduleRelease(data), module: readModule(guestPath(file), data, sha256) }
}

function mixed(path: string, own: string, release: string | undefined): OptionError {
  return new OptionError('KERNEL_MISMATCH', `${path} is a module of Linux ${own}, but others are of ${release}`, {
    hint: 'The last build did not build all modules again. Run `make modules`.',
  })
}

/** Path below `lib/modules/<release>/`, where the kernel's own modules are in `kernel/`. */
function guestPath(file: string): string {
  const path = file.replace(MODULE_FILE, '.ko')
  return /^(?:kernel|extra|updates)\//.test(path) ? path : `kernel/${path}`
}

/** Module files of a build tree. Kernels before 6.3 list them with `.ko`, older ones also below `kernel/`. */
function builtFiles(path: string): readonly string[] {
  return linesOf(join(path, 'modules.order'))
    .map((line) => line.replace(/^kernel\/(?!.*\/kernel\/)/, '').replace(/\.o$/, '.ko'))
    .flatMap((file) => [file, `kernel/${file}`].filter((one) => existsSync(join(path, one))).slice(0, 1))
}

function installedFiles(path: string): readonly string[] {
  // The links `build` and `source` lead to the sources.
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && MODULE_FILE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .toSorted()
}

function linesOf(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}

function statsOf(path: string): string {
  const { size, mtimeNs, ctimeNs } = statSync(path, { bigint: true, throwIfNoEntry: false }) ?? {}
  return [size, mtimeNs, ctimeNs].join(' ')
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32)
}

async function readUnpacked(path: string, file: string): Promise<Uint8Array> {
  return unpackModule(file, await readFile(join(path, file)))
}
