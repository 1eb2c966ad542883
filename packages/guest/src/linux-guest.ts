/** Public API of the package: resolves the options of a guest to the files and arguments that boot it. */
import { type Architecture, ColdbootError, type MemorySize, OptionError, StartError } from '@coldboot/core'
import {
  ARCHITECTURES,
  Cache,
  hostArchitecture,
  nodeCrypto,
  type PendingOptions,
  pendingOptions,
  readEnvironment,
} from '@coldboot/core/internal'
import { readAgent } from './agent-binary.ts'
import { GUEST_ARCHITECTURES } from './architectures.ts'
import { openArchiveKernel } from './archive-kernel.ts'
import { type Busybox, findBusybox } from './busybox.ts'
import type { CpioEntry } from './cpio.ts'
import { readGuestFiles } from './guest-files.ts'
import type { GuestKernel } from './guest-kernel.ts'
import { type LinuxGuestOptions, type ResolvedGuestOptions, resolveGuestOptions } from './guest-options.ts'
import {
  findGuestPackage,
  type GuestPackage,
  guestPackageName,
  missingModule,
  packagedKernel,
} from './guest-package.ts'
import { storedImage } from './image-store.ts'
import { GUEST_PROMPT } from './init-script.ts'
import { buildInitramfs, recipeDigest } from './initramfs.ts'
import { EARLY_MOUNTS_WORD, FOREIGN_ROOT_WORD } from './mounts.ts'
import { OwnKernel } from './own-kernel/kernel.ts'

/** A guest, to be spread into a machine's options: `VM.start({ ...(await linuxGuest()), memory: '512M' })`. */
export interface LinuxGuest {
  readonly arch: Architecture
  /** Path of the kernel. */
  readonly kernel: string
  /** Path of the initramfs. Shared and kept: never write to it. */
  readonly initramfs: string
  /** A console on the first serial port, and what makes the boot quick. Append words to change it: the last one wins. */
  readonly kernelArgs: string
  /** Enough for the guest and the files in it, with its unit. */
  readonly memory: MemorySize
  /** The shell's prompt, which ends the boot: {@link GUEST_PROMPT}. */
  readonly ready: string
  /** Whether the agent is in the guest, which runs commands beside the console. */
  readonly agent: boolean
  /** System.map for the names of functions in call traces. Missing for a kernel without a System.map. */
  readonly failOn?: { readonly systemMap: string }
}

const MIB = 2 ** 20
/** What of an image fits into the least memory. */
const FREE_IMAGE_MIB = 16

/**
 * A small Linux guest from stock parts: Debian's kernel, busybox, the modules and files asked for, and a root shell on the
 * serial console. The parts come from the package `@coldboot/guest-<arch>` when it is installed and has them, else from
 * Debian's archive: the first call then downloads the kernel. Later calls take a few milliseconds. The same options give the
 * same bytes as long as the package, or the kernel in the cache, stays the same.
 *
 * COLDBOOT_KERNEL and COLDBOOT_INITRAMFS, when set, replace the kernel and the initramfs made here, but not `kernel`. Such an initramfs must
 * end its start with {@link GUEST_PROMPT}, or `ready` be overridden.
 *
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`, `FILE_MISSING`, `GUEST_MODULE_MISSING`
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` when neither the package nor the archive has the parts
 */
export function linuxGuest(options: LinuxGuestOptions = {}): PendingOptions<LinuxGuest> {
  return pendingOptions(readyGuest(options))
}

async function readyGuest(options: LinuxGuestOptions): Promise<LinuxGuest> {
  return makeGuest(resolveGuestOptions(options), false)
}

/** Options of {@link prepareLinuxGuest}. */
export interface PrepareGuestOptions
  extends Pick<LinuxGuestOptions, 'arch' | 'flavour' | 'source' | 'cacheDirectory' | 'onProgress'> {
  /** Ask the archive for its current kernel, even if the package or the cache has one. @default false */
  readonly refresh?: boolean | undefined
}

/**
 * Prepares a guest ahead of the first test: what a first call of {@link linuxGuest} does.
 * @throws as {@link linuxGuest}
 */
export async function prepareLinuxGuest(options: PrepareGuestOptions = {}): Promise<LinuxGuest> {
  const { refresh, ...guest } = options
  return makeGuest(resolveGuestOptions(guest), refresh ?? false)
}

async function makeGuest(options: ResolvedGuestOptions, refresh: boolean): Promise<LinuxGuest> {
  const { arch, onProgress } = options
  const environment = readEnvironment()
  const cache = new Cache(options.cacheDirectory ?? environment.cacheDirectory)
  refuseWithOwnParts(options, environment)
  const guest = options.source === 'archive' ? undefined : findGuestPackage(arch)
  // One after the other: where neither can be had, the error is about the kernel, and names the package with both.
  const isFound = options.kernel === undefined && environment.kernel === undefined
  const found = isFound ? await findKernel(options, { cache, refresh, guest }) : undefined
  const kernel = OwnKernel.partsOf(options.kernel) ?? found
  const busybox =
    environment.initramfs === undefined ? await findBusybox({ arch, cache, guest, onProgress }) : undefined
  const image = busybox
    ? await makeInitramfs(options, { cache, kernel, busybox })
    : { path: environment.initramfs ?? '', sizeBytes: 0 }
  return {
    arch,
    kernel: kernel?.image ?? environment.kernel ?? '',
    initramfs: image.path,
    kernelArgs: kernelArgs(options),
    memory: memoryFor(arch, image.sizeBytes),
    ready: GUEST_PROMPT,
    // What is in parts of the user's own is not known.
    agent: options.agent && kernel !== undefined && environment.initramfs === undefined,
    ...(options.kernel?.systemMap === undefined ? {} : { failOn: { systemMap: options.kernel.systemMap } }),
  }
}

interface KernelPlaces {
  readonly cache: Cache
  readonly refresh: boolean
  readonly guest: GuestPackage | undefined
}

/** The package's kernel when it serves, else the archive's. */
async function findKernel(
  { arch, flavour, modules, source, onProgress }: ResolvedGuestOptions,
  { cache, refresh, guest }: KernelPlaces,
): Promise<GuestKernel> {
  const lacks = await packageLacks({ arch, flavour, modules, guest, refresh })
  if (guest !== undefined && lacks === undefined) return packagedKernel(guest)
  if (source === 'package') throw new StartError('GUEST_KERNEL_UNAVAILABLE', lacks ?? '', packageAdvice(arch, guest))
  try {
    return await openArchiveKernel({ arch, flavour, cache, refresh, onProgress })
  } catch (error) {
    const isUnavailable = ColdbootError.is(error) && error.code === 'GUEST_KERNEL_UNAVAILABLE'
    if (!isUnavailable || lacks === undefined || source === 'archive') throw error
    const message = `${lacks}, and Debian's archive cannot be used: ${error.shortMessage}`
    throw new StartError('GUEST_KERNEL_UNAVAILABLE', message, {
      ...packageAdvice(arch, guest),
      sections: error.sections,
      cause: error,
    })
  }
}

interface PackageNeeds extends Pick<ResolvedGuestOptions, 'arch' | 'flavour' | 'modules'> {
  readonly guest: GuestPackage | undefined
  readonly refresh: boolean
}

/** Why the package does not serve; undefined when it does. */
async function packageLacks({ arch, flavour, modules, guest, refresh }: PackageNeeds): Promise<string | undefined> {
  const name = guestPackageName(arch)
  if (guest === undefined) return `The package ${name} is not installed`
  if (flavour !== 'generic') return `The package ${name} has the flavour 'generic' alone`
  if (refresh) return `The package ${name} has one kernel only`
  const module = await missingModule(guest, modules)
  return module === undefined ? undefined : `The package ${name} has no module \`${module}\``
}

function packageAdvice(arch: Architecture, guest: GuestPackage | undefined): { readonly hint: string } {
  const own = 'name a kernel and an initramfs of your own in COLDBOOT_KERNEL and COLDBOOT_INITRAMFS'
  if (guest === undefined) {
    const left = arch === hostArchitecture() ? ' It is an optional dependency, which `--omit=optional` leaves out.' : ''
    return { hint: `Add it (npm install --save-dev ${guestPackageName(arch)}), or ${own}.${left}` }
  }
  return { hint: `Run on Debian or Ubuntu with the archive in reach, or ${own}.` }
}

// Left out silently, a file or a module would be missed by a test much later.
function refuseWithOwnParts(
  options: ResolvedGuestOptions,
  own: { kernel: string | undefined; initramfs: string | undefined },
): void {
  const refuse = (option: string, variable: string, hint: string): never => {
    throw new OptionError('INVALID_OPTION', `linuxGuest: \`${option}\` is not possible, because ${variable} is set`, {
      hint,
    })
  }
  if (own.kernel !== undefined && options.kernel === undefined && options.modules.length > 0) {
    refuse(
      'modules',
      'COLDBOOT_KERNEL',
      'Pass the kernel with its modules as `kernel: await kernelOf(…)`, or build them in.',
    )
  }
  if (own.initramfs === undefined) return
  const given = { modules: options.modules.length, files: Object.keys(options.files).length, init: options.init.length }
  for (const [option, length] of Object.entries(given)) {
    if (length > 0) refuse(option, 'COLDBOOT_INITRAMFS', 'An initramfs of your own is used as it is: put it in there.')
  }
}

interface GuestParts {
  readonly cache: Cache
  /** None when the user has one of their own. */
  readonly kernel: GuestKernel | undefined
  readonly busybox: Busybox
}

async function makeInitramfs(
  options: ResolvedGuestOptions,
  { cache, kernel, busybox }: GuestParts,
): Promise<{ readonly path: string; readonly sizeBytes: number }> {
  const { arch, modules, init, onProgress } = options
  const [agent, files] = await Promise.all([readAgent(arch), readGuestFiles(options.files)])
  const startup = { modules, init }
  const key = imageKey([recipeDigest(startup), kernel?.id ?? '', busybox.sha256, sha256(agent)], files)
  const image = await storedImage(cache, `${arch}-${key}`, async () => {
    onProgress({ step: 'initramfs', message: 'Building the initramfs' })
    return buildInitramfs({
      agent,
      busybox: await busybox.read(),
      release: kernel?.release ?? '',
      modules: await kernel?.readModules(modules),
      startup,
      files,
    })
  })
  return { path: cache.path(image.name), sizeBytes: image.sizeBytes }
}

// Contents are hashed one by one, so that no two sets of files run together to the same bytes.
function imageKey(parts: readonly unknown[], files: readonly CpioEntry[]): string {
  const described = files.map((entry) => (entry.type === 'file' ? { ...entry, data: sha256(entry.data) } : entry))
  return sha256(JSON.stringify([parts, described])).slice(0, 32)
}

function sha256(data: Uint8Array | string): string {
  return nodeCrypto().createHash('sha256').update(data).digest('hex')
}

function isOfStart(path: string): boolean {
  return /^\/*etc\/(?:profile|inittab|coldboot)/.test(path)
}

function kernelArgs({ arch, init, files, logLevel, hostname }: ResolvedGuestOptions): string {
  return [
    `console=${ARCHITECTURES[arch].consoleDevice}`,
    `loglevel=${logLevel}`,
    ...GUEST_ARCHITECTURES[arch].kernelArgs,
    FOREIGN_ROOT_WORD,
    // What the user has run before the prompt may need what is mounted.
    ...(init !== '' || Object.keys(files).some(isOfStart) ? [EARLY_MOUNTS_WORD] : []),
    ...(hostname === undefined ? [] : [`hostname=${hostname}`]),
  ].join(' ')
}

/** Memory for a guest with an initramfs of that size: while it boots, it has the archive and its unpacked content. */
export function memoryFor(arch: Architecture, imageBytes: number): MemorySize {
  const beyond = Math.max(0, Math.ceil(imageBytes / MIB) - FREE_IMAGE_MIB)
  return `${BigInt(GUEST_ARCHITECTURES[arch].memoryMib + 2 * beyond)}M`
}
