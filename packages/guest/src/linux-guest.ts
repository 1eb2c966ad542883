/** Public API of the package. Turns the options of a guest into the files and kernel arguments that boot it. */
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

/** Machine options for a guest. Spread them: `VM.start({ ...(await linuxGuest()), memory: '512M' })`. */
export interface LinuxGuest {
  readonly arch: Architecture
  /** Path of the kernel. */
  readonly kernel: string
  /** Path of the initramfs. The file is in the cache and shared by all machines: never write to it. */
  readonly initramfs: string
  /** Kernel command line: selects the first serial port as the console and shortens the boot. Appended arguments override it. */
  readonly kernelArgs: string
  /** Memory for the guest and the files in it, such as `256M`. */
  readonly memory: MemorySize
  /** Console text at which the boot is complete: the shell's prompt, {@link GUEST_PROMPT}. */
  readonly ready: string
  /** Whether the guest contains the agent, a program that runs commands without using the console. */
  readonly agent: boolean
  /** System.map for the names of functions in call traces. Missing for a kernel without a System.map. */
  readonly failOn?: { readonly systemMap: string }
}

const MIB = 2 ** 20
/** Largest initramfs that boots in the architecture's default memory. Larger ones get more memory. */
const FREE_IMAGE_MIB = 16

/**
 * Prepares a small Linux guest from stock parts: Debian's kernel, busybox, the modules and files of the options, and a root
 * shell on the serial console. The parts come from the package `@coldboot/guest-<arch>` if it is installed and contains them,
 * else from Debian's archive; the first call then downloads the kernel. Later calls take a few milliseconds. The same options
 * produce the same bytes until the package, or the kernel in the cache, changes.
 *
 * COLDBOOT_KERNEL and COLDBOOT_INITRAMFS replace the kernel and the initramfs that this function would use. The option
 * `kernel` overrides COLDBOOT_KERNEL. An initramfs of your own must print {@link GUEST_PROMPT} when it is ready; else set `ready`.
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
  /** Download the archive's current kernel even if the package or the cache contains one. @default false */
  readonly refresh?: boolean | undefined
}

/**
 * Does the work of the first call of {@link linuxGuest} before the first test: downloads and builds the guest's files.
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
  // The kernel comes first: if neither part is available, the error is about the kernel and names the package with both parts.
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
    // A kernel or an initramfs of the user may lack the agent.
    agent: options.agent && kernel !== undefined && environment.initramfs === undefined,
    ...(options.kernel?.systemMap === undefined ? {} : { failOn: { systemMap: options.kernel.systemMap } }),
  }
}

interface KernelPlaces {
  readonly cache: Cache
  readonly refresh: boolean
  readonly guest: GuestPackage | undefined
}

/** Returns the package's kernel if it fits the options, else the archive's. */
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

/** Returns the reason why the package cannot be used; undefined if it can. */
async function packageLacks({ arch, flavour, modules, guest, refresh }: PackageNeeds): Promise<string | undefined> {
  const name = guestPackageName(arch)
  if (guest === undefined) return `The package ${name} is not installed`
  if (flavour !== 'generic') return `The package ${name} only has the flavour 'generic'`
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

// Ignoring these options would make a test fail later, without a hint at the reason.
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
  /** Undefined if COLDBOOT_KERNEL is set. */
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

// Each content is hashed by itself: two sets of files could have the same concatenated bytes.
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
    // Programs that run before the prompt may need the mounts.
    ...(init !== '' || Object.keys(files).some(isOfStart) ? [EARLY_MOUNTS_WORD] : []),
    ...(hostname === undefined ? [] : [`hostname=${hostname}`]),
  ].join(' ')
}

/** Memory for a guest with an initramfs of that size. During the boot, both the archive and its unpacked content use memory. */
export function memoryFor(arch: Architecture, imageBytes: number): MemorySize {
  const beyond = Math.max(0, Math.ceil(imageBytes / MIB) - FREE_IMAGE_MIB)
  return `${BigInt(GUEST_ARCHITECTURES[arch].memoryMib + 2 * beyond)}M`
}
