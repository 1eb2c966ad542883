/**
 * Finds UEFI firmware by QEMU's firmware descriptors, which are JSON files in each firmware package
 * (docs/interop/firmware.json in QEMU).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Architecture } from '../../options/architecture.ts'

/** Firmware in two flash images: the code, and the empty variables, which each machine copies. */
export interface FlashFirmware {
  /** Absolute path of the image with the code. */
  readonly code: string
  readonly codeFormat: string
  /** Absolute path of the image with the variables. */
  readonly variables: string
  readonly variablesFormat: string
}

/** Folders of descriptors. A file overrides files with the same name in earlier folders. */
export const DESCRIPTOR_FOLDERS: readonly string[] = [
  '/usr/share/qemu/firmware',
  '/usr/local/share/qemu/firmware',
  '/opt/homebrew/share/qemu/firmware',
  '/etc/qemu/firmware',
  join(homedir(), '.config/qemu/firmware'),
]

/** The used properties of a descriptor. */
interface Descriptor {
  readonly 'interface-types': readonly string[]
  readonly mapping: {
    readonly device: string
    readonly executable?: FlashFile
    readonly 'nvram-template'?: FlashFile
  }
  readonly targets: readonly { readonly architecture: string; readonly machines: readonly string[] }[]
  readonly features: readonly string[]
}

interface FlashFile {
  readonly filename: string
  readonly format: string
}

// Firmware with these features needs a special machine, or rejects unsigned boot loaders.
const UNWANTED_FEATURES = ['requires-smm', 'secure-boot', 'enrolled-keys']

/** Machine types of QEMU's aliases, with a version. */
const ALIASES: Readonly<Record<string, string>> = { pc: 'pc-i440fx-0.0', q35: 'pc-q35-0.0', virt: 'virt-0.0' }

/** Finds the preferred UEFI firmware. @param machine QEMU machine type, with or without properties */
export function findUefi(
  arch: Architecture,
  machine: string,
  folders: readonly string[] = DESCRIPTOR_FOLDERS,
): FlashFirmware | undefined {
  const [type = ''] = machine.split(',')
  const names = [type, ALIASES[type] ?? type]
  const fits = ({ targets }: Descriptor): boolean =>
    targets.some((target) => target.architecture === arch && target.machines.some((glob) => matchesGlob(glob, names)))
  for (const { path, descriptor } of readDescriptors(folders)) {
    try {
      const { executable, 'nvram-template': variables, device } = descriptor.mapping
      if (!descriptor['interface-types'].includes('uefi') || device !== 'flash') continue
      if (typeof executable?.format !== 'string' || typeof variables?.format !== 'string') continue
      if (!fits(descriptor) || UNWANTED_FEATURES.some((feature) => descriptor.features.includes(feature))) continue
      return {
        // A relocatable package has paths relative to the descriptor.
        code: resolve(dirname(path), executable.filename),
        codeFormat: executable.format,
        variables: resolve(dirname(path), variables.filename),
        variablesFormat: variables.format,
      }
    } catch {
      // A TypeError: a property is missing or has another type. An invalid file is ignored.
    }
  }
  return undefined
}

/** Reads all descriptors, in order of preference, which is the order of file names. */
function readDescriptors(folders: readonly string[]): { readonly path: string; readonly descriptor: Descriptor }[] {
  const files = new Map<string, string>()
  for (const folder of folders) {
    for (const name of namesIn(folder)) if (name.endsWith('.json')) files.set(name, join(folder, name))
  }
  return [...files.keys()].sort().flatMap((name) => {
    const path = files.get(name) ?? ''
    const descriptor = parse(path)
    return descriptor ? [{ path, descriptor }] : []
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

// An empty file hides a file with the same name in an earlier folder. An invalid file is ignored.
function parse(path: string): Descriptor | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Descriptor
  } catch {
    return undefined
  }
}

function matchesGlob(glob: string, names: readonly string[]): boolean {
  const pattern = new RegExp(
    `^${glob
      .split('*')
      .map((part) => part.replace(/\W/g, '\\$&'))
      .join('.*')}$`,
  )
  return names.some((name) => pattern.test(name))
}
