/**
 * Guests as npm packages, `@coldboot/guest-<arch>`: a kernel ready to boot, its modules and a busybox, so that nothing is
 * downloaded when a test runs. Made by `scripts/pack-guest`.
 */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Architecture, OptionError, StartError } from '@coldboot/core'
import { closestMatch } from 'leven'
import { type GuestKernel, type GuestModules, modulesFor } from './guest-kernel.ts'
import { type ModuleIndex, moduleName } from './modules.ts'

/** Raised when the meaning of a package's files changes: a package of another format is not used. */
export const PACKAGE_FORMAT = 1

/** A file of a package. */
export interface PackagedFile {
  /** Relative to the package. */
  readonly path: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
}

/** `guest.json` of a package: what of its files is what. */
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

/** The modules of a package: files lie in `modules/`, by their path in the index. */
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
 * Finds the installed package of an architecture. It is looked for beside this package, then as the dependency of the
 * package for this host's processor, then from the working directory, which is where a user adds one.
 *
 * @param from files or directories whose `node_modules` are searched @default these three
 * @returns undefined when there is none, or one whose files are missing or of another format
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
 * Whether the package has all these modules, or the kernel has them built in.
 * @returns the first that it lacks although its kernel has it; undefined when there is none
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

/** The busybox of a package, whole. @throws StartError `GUEST_KERNEL_UNAVAILABLE` when it is damaged */
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
  if (data && createHash('sha256').update(data).digest('hex') === sha256) return data
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

// A folder of the workspace whose files were not made yet has no description; an interrupted installation may lack the kernel.
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
