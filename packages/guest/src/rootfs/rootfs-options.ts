/** Options of `rootfs` with their defaults and checks. */
import type { Architecture, MemorySize } from '@coldboot/core'
import {
  type CheckTable,
  checkTable,
  isArchitecture,
  isFlag,
  isMemorySize,
  isString,
  memoryMibOf,
  oneOf,
} from '@coldboot/core/internal'
import { type LinuxGuestOptions, resolveGuestOptions } from '../guest-options.ts'
import type { RootInit } from './root-start.ts'

type GuestPart = Pick<LinuxGuestOptions, 'modules' | 'hostname' | 'logLevel' | 'cacheDirectory' | 'onProgress'>

/** Options of {@link rootfs}; all are optional. */
export interface RootfsOptions extends GuestPart {
  /** Guest architecture by QEMU's name. @default that of the container image, else the host's */
  readonly arch?: Architecture | undefined
  /** Whether the guest can write to its root. Writes stay in memory, and are lost at the machine's end. @default true */
  readonly writable?: boolean | undefined
  /**
   * The program to run. A path: an init in the root, as process 1; a list: a command with its arguments, after which the
   * machine ends; `false`: shells on the console.
   * @default the command of a container image, else the init of the root, else shells on the console
   */
  readonly init?: string | readonly string[] | false | undefined
  /** Name or tag of the image in an archive with several images. @default the only one */
  readonly image?: string | undefined
  /**
   * Storage of the root: `memory`, as a part of the initramfs, or `disk`, an image with the file system EROFS.
   * @default 'memory' up to 32 MiB, else 'disk'
   */
  readonly storage?: RootStorage | undefined
  /** Largest unpacked size of the source. @default '8G' */
  readonly maxSize?: MemorySize | undefined
}

/** Storage of a root while the guest runs. */
export type RootStorage = 'memory' | 'disk'

/** Options with their defaults, checked. */
export interface ResolvedRootfsOptions {
  readonly arch: Architecture | undefined
  readonly writable: boolean
  readonly init: RootInit | undefined
  readonly image: string | undefined
  readonly storage: RootStorage | undefined
  readonly maxBytes: number
  readonly guest: GuestPart
}

const MIB = 2 ** 20
const isText = (value: unknown): boolean => isString(value) && value !== '' && !value.includes('\0')
const anything = (): boolean => true

/** Options that `linuxGuest` checks. */
export const GUEST_PART_CHECKS: CheckTable<Required<GuestPart>> = {
  modules: ['', anything],
  hostname: ['', anything],
  logLevel: ['', anything],
  cacheDirectory: ['', anything],
  onProgress: ['', anything],
}

const CHECKS: CheckTable<Required<RootfsOptions>> = {
  arch: isArchitecture,
  writable: isFlag,
  init: [
    'an absolute path, a list of a command and its arguments, or false',
    (value) =>
      value === false ||
      (isText(value) && String(value).startsWith('/')) ||
      (Array.isArray(value) && isText(value[0]) && value.every((each) => isString(each) && !each.includes('\0'))),
  ],
  image: ['the name of an image', isText],
  storage: oneOf(['memory', 'disk']),
  maxSize: isMemorySize,
  ...GUEST_PART_CHECKS,
}

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function resolveRootfsOptions(options: RootfsOptions): ResolvedRootfsOptions {
  checkTable('rootfs', options, CHECKS)
  const { arch, writable = true, init, image, storage, maxSize = '8G', ...guest } = options
  resolveGuestOptions({ arch, ...guest })
  return { arch, writable, init, image, storage, maxBytes: memoryMibOf(maxSize) * MIB, guest }
}
