/** Options of a guest with their defaults and checks. */
import { type Architecture, OptionError } from '@coldboot/core'
import {
  ARCHITECTURES,
  type CheckTable,
  checkTable,
  hostArchitecture,
  isArchitecture,
  isFlag,
  isPath,
  isString,
  oneOf,
} from '@coldboot/core/internal'
import type { Flavour } from './architectures.ts'
import type { GuestFiles } from './guest-files.ts'
import { type Kernel, OwnKernel } from './own-kernel/kernel.ts'
import type { OnGuestProgress } from './progress.ts'

/** Where the parts of a guest come from. */
export type GuestSource = 'package' | 'archive'

/** Options of {@link linuxGuest}; all are optional. */
export interface LinuxGuestOptions {
  /** Guest architecture by QEMU's name. @default the host's */
  readonly arch?: Architecture | undefined
  /**
   * A kernel of your own, from `kernelOf`. It needs an initramfs, devtmpfs and the serial console built in.
   * @default the kernel of `source`
   */
  readonly kernel?: Kernel | undefined
  /** Flavour of Debian's kernel. `cloud` is smaller and only has virtio drivers. In packages, `generic` has the usual modules. @default 'generic' */
  readonly flavour?: Flavour | undefined
  /**
   * Where the kernel and busybox come from. `package`: the installed package `@coldboot/guest-<arch>`; `archive`: Debian's
   * archive, by the host's apt. @default the package if it contains the requested flavour and modules, else the archive
   */
  readonly source?: GuestSource | undefined
  /**
   * Kernel modules to load at boot, in this order and with their dependencies: by name (`9p`, `vfat`, `e1000`) or alias
   * (`fs-9p`). Built-in modules are accepted and ignored. The drivers of the machine's devices are always loaded.
   * @default []
   */
  readonly modules?: readonly string[] | undefined
  /** Files to put into the guest, by absolute path. @default {} */
  readonly files?: GuestFiles | undefined
  /**
   * Shell commands that run before the prompt appears. If one fails, the console shows an error and the machine ends. Add
   * `|| true` to a command that may fail. @default ''
   */
  readonly init?: string | readonly string[] | undefined
  /**
   * Whether machines have a port for the guest's agent, so that commands and files do not use the console.
   * @default true
   */
  readonly agent?: boolean | undefined
  /** Host name of the guest. @default 'coldboot' */
  readonly hostname?: string | undefined
  /**
   * Kernel messages with a lower level than this appear on the console, 0 to 8. 4: errors; 1: emergencies only; 7: all except
   * debug messages. A panic is always printed completely. @default 4
   */
  readonly logLevel?: number | undefined
  /** Directory of cached kernels and images. @default COLDBOOT_CACHE, else `coldboot` in the user's cache folder */
  readonly cacheDirectory?: string | undefined
  /** Called while a kernel is downloaded and an image is built. @default none */
  readonly onProgress?: OnGuestProgress | undefined
}

/** Options with their defaults, checked. */
export interface ResolvedGuestOptions {
  readonly arch: Architecture
  readonly kernel: Kernel | undefined
  readonly flavour: Flavour
  readonly source: GuestSource | undefined
  readonly modules: readonly string[]
  readonly files: GuestFiles
  /** Lines of `init` as one text; empty for none. */
  readonly init: string
  readonly agent: boolean
  readonly hostname: string | undefined
  readonly logLevel: number
  readonly cacheDirectory: string | undefined
  readonly onProgress: OnGuestProgress
}

const QUIET = 4

const isListOf = (accepts: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(accepts)
const isModule = (value: unknown): boolean => isString(value) && /^[\w][\w.:-]*$/.test(value)
const isHostname = (value: unknown): boolean => isString(value) && /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62})$/.test(value)
const isText = (value: unknown): boolean => isString(value) && !value.includes('\0')

const CHECKS: CheckTable<Required<LinuxGuestOptions>> = {
  arch: isArchitecture,
  kernel: ['the result of `await kernelOf(…)`', (value) => OwnKernel.partsOf(value) !== undefined],
  flavour: oneOf(['generic', 'cloud'] satisfies Flavour[]),
  source: oneOf(['package', 'archive'] satisfies GuestSource[]),
  modules: ['a list of module names', isListOf(isModule)],
  files: [
    'an object, from paths in the guest to files',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ],
  init: ['a string or a list of strings', (value) => isText(value) || isListOf(isText)(value)],
  agent: isFlag,
  hostname: ['1 to 63 letters, digits and dashes', isHostname],
  logLevel: [
    'a whole number from 0 to 8',
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 8,
  ],
  cacheDirectory: isPath,
  onProgress: ['a function', (value) => typeof value === 'function'],
}

/**
 * Checks options and adds the defaults.
 * @throws OptionError `UNKNOWN_OPTION` with the nearest known key, `INVALID_OPTION` with the accepted values
 */
export function resolveGuestOptions(options: LinuxGuestOptions): ResolvedGuestOptions {
  checkTable('linuxGuest', options, CHECKS)
  requireFit(options)
  return {
    arch: options.arch ?? options.kernel?.arch ?? supportedHost(),
    kernel: options.kernel,
    flavour: options.flavour ?? 'generic',
    source: options.source,
    modules: options.modules ?? [],
    files: options.files ?? {},
    init: [options.init ?? ''].flat().join('\n'),
    agent: options.agent ?? true,
    hostname: options.hostname,
    logLevel: options.logLevel ?? QUIET,
    cacheDirectory: options.cacheDirectory,
    onProgress: options.onProgress ?? (() => {}),
  }
}

function requireFit({ kernel, arch, flavour }: LinuxGuestOptions): void {
  if (kernel === undefined) return
  if (flavour !== undefined) {
    throw new OptionError('INVALID_OPTION', 'linuxGuest: `kernel` and `flavour` cannot be combined')
  }
  if (arch !== undefined && arch !== kernel.arch) {
    throw new OptionError('INVALID_OPTION', `linuxGuest: \`arch\` is ${arch}, but the kernel is for ${kernel.arch}`)
  }
}

function supportedHost(): Architecture {
  const host = hostArchitecture()
  if (host) return host
  throw new OptionError('INVALID_OPTION', `There is no guest for this host's architecture, ${process.arch}`, {
    hint: `Set \`arch\` to one of ${Object.keys(ARCHITECTURES).join(', ')}.`,
  })
}
