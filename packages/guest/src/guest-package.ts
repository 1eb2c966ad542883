/**
 * Npm packages of guests, `@coldboot/guest-<arch>`: a kernel that is ready to boot, its modules and a busybox. With them, a
 * test run downloads nothing. `scripts/pack-guest.mjs` creates them.
 */
import { readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Architecture, OptionError, StartError } from '@coldboot/core'
import { nodeCrypto } from '@coldboot/core/internal'
import { closestMatch } from 'leven'
import { type GuestKernel, type GuestModules, modulesFor } from './guest-kernel.ts'
import { type ModuleIndex, moduleName } from './modules.ts'

/** Version of the package files. Packages of another version are not used. */
export const PACKAGE_FORMAT = 1

/** A file of a package. */
export interface PackagedFile {
  /** Relative to the package. */
  readonly path: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
}

/** Content of the package's `guest.json`, which describes its files. */
export interface GuestDescription {
  readonly format: typeof PACKAGE_FORMAT
  readonly arch: Architecture
  /** As {@link GuestKernel.id}. */
  readonly id: string
  /** As `uname -r` in the guest. */
  readonly release: string
  readonly kernel: PackagedFile
  readonly busybox: PackagedFile
  /** {@link PackagedModules} as JSON. */
  readonly modules: PackagedFile
}

/** The modules of a package. Their files are in `modules/`, at their path in the index. */
export interface PackagedModules extends ModuleIndex {
  /** Names and plain aliases of the kernel's other modules, which the package does not have. */
  readonly others: readonly string[]
}

/** An installed package. */
export interface GuestPackage {
  readonly name: string
  readonly directory: string
  readonly description: GuestDescription
}

/** Name of the package for a guest architecture. */
export function guestPackageName(arch: Architecture): string {
  return `@coldboot/guest-${arch}`
}

/**
 * Finds the installed package of an architecture: beside this package, then among the dependencies of the package for the
 * processor of this host, then from the working directory.
 *
 * @param from files or directories whose `node_modules` are searched @default the three above
 * @returns undefined without a package, or if its files are missing or of another format
 */
export function findGuestPackage(arch: Architecture, from: readonly string[] = origins()): GuestPackage | undefined {
  const name = guestPackageName(arch)
  for (const origin of from) {
    const path = resolveFrom(origin, `${name}/guest.json`)
    const description = path === undefined ? undefined : readDescription(path, arch)
    if (path !== undefined && description !== undefined) return { name, directory: dirname(path), description }
  }
  return undefined
}

/**
 * Returns the first module that the kernel has but the package does not contain; undefined if the package has all, or the
 * kernel has them built in.
 * @throws OptionError `GUEST_MODULE_MISSING` when the kernel has no such module at all
 */
export async function missingModule(guest: GuestPackage, wanted: readonly string[]): Promise<string | undefined> {
  if (wanted.length === 0) return undefined
  const index = await readIndex(guest)
  const others = new Set(index.others)
  const known = new Set([...Object.keys(index.modules), ...index.builtIn])
  const aliases = new Set(Object.values(index.modules).flatMap((module) => module.aliases))
  const isHere = (name: string): boolean => known.has(moduleName(name)) || aliases.has(name)
  const absent = wanted.filter((name) => !isHere(name))
  for (const name of absent) {
    if (others.has(name) || others.has(moduleName(name))) continue
    const nearest = closestMatch(moduleName(name), [...known, ...others], { maxDistance: 3 })
    const suggestion = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
    throw new OptionError('GUEST_MODULE_MISSING', `The kernel has no module \`${name}\`${suggestion}`)
  }
  return absent[0]
}

/** The kernel of a package. */
export function packagedKernel(guest: GuestPackage): GuestKernel {
  const { id, release, kernel } = guest.description
  return {
    id,
    release,
    image: join(guest.directory, kernel.path),
    readModules: (wanted) => readModules(guest, wanted),
  }
}

/** The complete busybox of a package. @throws StartError `GUEST_KERNEL_UNAVAILABLE` when it is damaged */
export async function readPackagedBusybox(guest: GuestPackage): Promise<Uint8Array> {
  const { path, sha256 } = guest.description.busybox
  return readChecked(guest, path, sha256)
}

async function readModules(guest: GuestPackage, wanted: readonly string[]): Promise<GuestModules> {
  const { others: _, ...index } = await readIndex(guest)
  const files = modulesFor(index, wanted).map(async (module) => ({
    module,
    data: await readChecked(guest, `modules/${module.path}`, module.sha256),
  }))
  return { files: await Promise.all(files), builtIn: index.builtIn }
}

async function readIndex(guest: GuestPackage): Promise<PackagedModules> {
  const { path, sha256 } = guest.description.modules
  return JSON.parse(Buffer.from(await readChecked(guest, path, sha256)).toString()) as PackagedModules
}

async function readChecked(guest: GuestPackage, path: string, sha256: string): Promise<Uint8Array> {
  const data = await readFile(join(guest.directory, path)).catch(() => undefined)
  if (data && nodeCrypto().createHash('sha256').update(data).digest('hex') === sha256) return data
  throw new StartError('GUEST_KERNEL_UNAVAILABLE', `${path} of ${guest.name} is damaged or missing`, {
    hint: `Install it again: delete ${guest.directory}, then run the package manager's install command.`,
  })
}

function origins(): readonly string[] {
  const here = import.meta.url
  const ofHost = resolveFrom(here, `@coldboot/guest-on-${process.arch}/package.json`)
  return [here, ...(ofHost === undefined ? [] : [ofHost]), join(process.cwd(), 'package.json')]
}

function resolveFrom(origin: string, file: string): string | undefined {
  try {
    return createRequire(origin).resolve(file)
  } catch {
    return undefined
  }
}

// In the workspace, the description is missing until the files are created. After an interrupted installation, the kernel is.
function readDescription(path: string, arch: Architecture): GuestDescription | undefined {
  try {
    const description = JSON.parse(readFileSync(path, 'utf8')) as GuestDescription
    const { size } = statSync(join(dirname(path), description.kernel.path))
    const isUsable =
      description.format === PACKAGE_FORMAT && description.arch === arch && size === description.kernel.sizeBytes
    return isUsable ? description : undefined
  } catch {
    return undefined
  }
}
