/**
 * `manifest.json` of a machine file: the description of the machine as plain data. The file may come from an untrusted
 * source, so every value is checked before it is passed to QEMU.
 */
import { inspect, types } from 'node:util'
import type { PortableDevice } from '../../devices/device.ts'
import { ColdbootError, OptionError } from '../../errors.ts'
import { ACCELERATORS, type AcceleratorName } from '../../host/environment.ts'
import { type Architecture, isArchitecture } from '../../options/architecture.ts'
import {
  type Check,
  type CheckTable,
  checkTable,
  isFlag,
  isString,
  oneOf,
  wholeNumber,
} from '../../options/checked-options.ts'
import { isPlainPath } from './archive.ts'
import { BOOT_FILES } from './machine-file.ts'

/** Version of the layout of a machine file. Increased when the layout changes. */
export const FORMAT = 3

/** A file of the host to which a machine file refers without containing it, such as a disk image. */
export interface ReferredFile {
  /** Absolute path on the host where the machine was saved. */
  readonly path: string
  readonly sizeBytes: number
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string
}

/** A file from which the machine was booted. The machine file contains it, for hosts that lack it. */
export interface BootFile extends ReferredFile {
  readonly name: (typeof BOOT_FILES)[number]
}

/** A pattern as plain data. */
export type PlainPattern = { readonly text: string } | { readonly source: string; readonly flags: string }

/** The content of `manifest.json`. */
export interface MachineManifest {
  readonly format: typeof FORMAT
  /** Time of the save, ISO 8601. */
  readonly saved: string
  readonly name: string
  /** Version of QEMU, such as `7.2.22`. */
  readonly qemuVersion: string
  readonly arch: Architecture
  /** Versioned machine type of QEMU, such as `pc-i440fx-7.2`, which later versions of QEMU also support. */
  readonly machine: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryMib: number
  readonly accelerator: AcceleratorName
  /** CPU of the host with hardware acceleration, otherwise empty. */
  readonly hostCpu: string
  readonly kernelArgs: readonly string[]
  readonly allowReboot: boolean
  /** See `MachineOptions.firmwareOnConsole`. */
  readonly firmwareOnConsole: boolean
  readonly boot: readonly BootFile[]
  /** Name of a firmware in QEMU's data folder; empty if there is none. */
  readonly firmware: string
  readonly ready: PlainPattern | null
  /** Whether the machine has memory other than QEMU's default, and the devices that belong to it: see `GuestMemory`. */
  readonly hasGuestMemory: boolean
  readonly devices: readonly PortableDevice[]
  readonly files: readonly ReferredFile[]
}

const isOneLine = (most: number): Check => [
  `a text of one line, at most ${most} characters`,
  (value) => isString(value) && value.length <= most && !/[\0\r\n]/.test(value),
]
const isListOf = (what: string, accepts: (value: unknown) => boolean): Check => [
  `a list of ${what}`,
  (value) => Array.isArray(value) && value.length <= 1_000 && value.every(accepts),
]
const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// Only properties that affect just the board are allowed, because others may write files (`dumpdtb`).
const BOARD_PROPERTIES =
  'graphics|highmem|gic-version|x-vof|acpi|smm|hpet|usb|vmport|its|secure|virtualization|mte|pic|pit|rtc|i8042|aia|aclint|cap-[a-z-]+|ic-mode'
const MACHINE_TYPE = new RegExp(`^[\\w.-]+(?:,(?:${BOARD_PROPERTIES})=[\\w-]+)*$`)

const CHECKS: CheckTable<MachineManifest> = {
  format: [`${FORMAT}`, (value) => value === FORMAT],
  saved: isOneLine(40),
  name: ['the name of a machine', (value) => isString(value) && /^[A-Za-z0-9][\w.-]{0,63}$/.test(value)],
  qemuVersion: ['a version such as 7.2.22', (value) => isString(value) && /^\d+\.\d+\.\d+$/.test(value)],
  arch: isArchitecture,
  machine: [
    'a machine type with properties of the board alone',
    (value) => isString(value) && MACHINE_TYPE.test(value),
  ],
  cpu: ['a CPU model', (value) => isString(value) && /^[\w.-]+(?:,[+-]?[\w.-]+(?:=[\w.-]+)?)*$/.test(value)],
  cpus: wholeNumber(1, 255),
  memoryMib: wholeNumber(1, 1 << 20),
  accelerator: oneOf(ACCELERATORS),
  hostCpu: isOneLine(200),
  kernelArgs: isListOf('words', isOneLine(4096)[1]),
  allowReboot: isFlag,
  firmwareOnConsole: isFlag,
  boot: isListOf('boot files', isBootFile),
  firmware: [
    'the name of a firmware of QEMU',
    (value) => value === '' || (isString(value) && isPlainPath(value) && !value.includes('/')),
  ],
  ready: ['a pattern', (value) => value === null || isPattern(value)],
  hasGuestMemory: isFlag,
  devices: isListOf(
    'devices',
    (value) => isPlainObject(value) && isString(value['kind']) && isPlainObject(value['options']),
  ),
  files: isListOf('files', isReferredFile),
}

/**
 * Parses and checks a manifest.
 * @throws OptionError `MACHINE_FILE_INVALID`; `MACHINE_FILE_MISFIT` for the format of another version of coldboot
 */
export function parseManifest(bytes: Uint8Array, file: string): MachineManifest {
  try {
    const manifest = JSON.parse(Buffer.from(bytes).toString()) as MachineManifest
    requireFormat(manifest, file)
    checkTable('manifest.json', manifest, CHECKS)
    const missing = Object.keys(CHECKS).find((key) => !Object.hasOwn(manifest, key))
    if (missing !== undefined) throw new OptionError('INVALID_OPTION', `manifest.json has no \`${missing}\``)
    return manifest
  } catch (cause) {
    if (ColdbootError.is(cause) && cause.code === 'MACHINE_FILE_MISFIT') throw cause
    const why = ColdbootError.is(cause)
      ? cause.shortMessage
      : inspect(types.isNativeError(cause) ? cause.message : cause)
    throw new OptionError('MACHINE_FILE_INVALID', `${file} is not a valid machine file: ${why}`, { cause })
  }
}

function requireFormat(manifest: unknown, file: string): void {
  const format = isPlainObject(manifest) ? manifest['format'] : undefined
  if (typeof format !== 'number' || format === FORMAT) return
  throw new OptionError(
    'MACHINE_FILE_MISFIT',
    `${file} was saved by another version of coldboot: its format is ${format}, and this version reads format ${FORMAT}`,
    { hint: 'Resume it with the version of coldboot that saved it.' },
  )
}

/** Converts a pattern to plain data. */
export function plainPattern(pattern: string | RegExp): PlainPattern {
  return typeof pattern === 'string' ? { text: pattern } : { source: pattern.source, flags: pattern.flags }
}

export function patternOf(plain: PlainPattern): string | RegExp {
  return 'text' in plain ? plain.text : new RegExp(plain.source, plain.flags)
}

function isPattern(value: unknown): boolean {
  if (!isPlainObject(value)) return false
  const { text, source, flags } = value
  if (text !== undefined) return isString(text) && text !== ''
  if (!isString(source) || !isString(flags)) return false
  try {
    return new RegExp(source, flags) instanceof RegExp
  } catch {
    return false
  }
}

function isBootFile(value: unknown): boolean {
  return isReferredFile(value) && BOOT_FILES.some((name) => name === (value as BootFile).name)
}

function isReferredFile(value: unknown): boolean {
  if (!isPlainObject(value)) return false
  const { path, sizeBytes, sha256 } = value
  const isPath = isString(path) && path.startsWith('/') && !path.includes('\0')
  return isPath && Number.isSafeInteger(sizeBytes) && isString(sha256) && /^[0-9a-f]{64}$/.test(sha256)
}
