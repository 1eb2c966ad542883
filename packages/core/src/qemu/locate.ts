/**
 * Finds QEMU and its version. The version is remembered per command, and read again when the size or the time of a file
 * in the command changes. Without a wrapper, it is also stored in the cache, because each worker of a run needs it.
 */
import { statSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../errors.ts'
import { readEnvironment } from '../host/environment.ts'
import { fileIdentity } from '../host/files/file-digest.ts'
import { rememberedText } from '../host/files/remembered-text.ts'
import { findOnPath } from '../host/find-on-path.ts'
import { missingQemuPackage, packagedQemu } from '../host/qemu-package.ts'
import type { Architecture } from '../options/architecture.ts'
import { quoteCommandLine } from './command-line.ts'
import { runLookup } from './process.ts'
import { isAtLeast, parseVersion, type QemuRelease } from './version.ts'

/** A usable QEMU. */
export interface QemuBinary {
  /** Absolute path of the binary, then its first arguments. */
  readonly command: readonly string[]
  /** Version, such as `7.2.22`. */
  readonly version: string
  /** Source of the binary. `asked`: an option or the environment; `package`: npm; `path`: PATH. */
  readonly origin: 'asked' | 'package' | 'path'
  /** The npm package of the binary, if the origin is `package`. */
  readonly package?: string
}

/** Oldest supported version: the first with `-netdev stream`. */
const LEAST_VERSION: QemuRelease = [7, 2]

const versions = new Map<string, Promise<string>>()

/**
 * @param asked the binary and its first arguments; undefined for the binary from npm, else `qemu-system-<arch>` on PATH
 * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`
 */
export async function locateQemu(arch: Architecture, asked: readonly string[] | undefined): Promise<QemuBinary> {
  const engine = asked ? undefined : packagedQemu(arch)
  const [name = '', ...args] = asked ?? [engine?.program ?? binaryName(arch)]
  const path = findOnPath(name)
  if (path === undefined) throw notFound(name, arch, asked !== undefined)
  const command = [path, ...args]
  const key = command.map(fileKey).join('\0')
  const lookup = versions.get(key) ?? knownVersion(command)
  versions.set(key, lookup)
  try {
    const version = await lookup
    if (engine) return { command, version, origin: 'package', package: engine.package }
    return { command, version, origin: asked ? 'asked' : 'path' }
  } catch (error) {
    // The failure may be temporary, so the next machine tries again.
    versions.delete(key)
    throw error
  }
}

/** The QEMU command for a command line that is only shown. Starts nothing. */
export function qemuCommand(arch: Architecture, asked: readonly string[] | undefined): readonly string[] {
  const [name = '', ...args] = asked ?? [packagedQemu(arch)?.program ?? binaryName(arch)]
  return [findOnPath(name) ?? name, ...args]
}

function binaryName(arch: Architecture): string {
  return `qemu-system-${arch}`
}

// In the command of a wrapper, QEMU itself is one of the arguments, so the key covers all words.
function fileKey(word: string): string {
  const path = findOnPath(word)
  const stats = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? word : `${word} ${stats.size} ${stats.mtimeMs}`
}

async function knownVersion(command: readonly string[]): Promise<string> {
  const [path = '', ...args] = command
  // A wrapper may start another QEMU although its own file is unchanged, so its result is not stored.
  if (args.length > 0) return lookUpVersion(command)
  const real = await realpath(path)
  const identity = `${real} ${await fileIdentity(real)}`
  const folder = join(readEnvironment().cacheDirectory, 'qemu-versions')
  return rememberedText(folder, identity, /^\d+\.\d+\.\d+$/, () => lookUpVersion(command))
}

async function lookUpVersion(command: readonly string[]): Promise<string> {
  const [path = '', ...args] = command
  const { output, cause } = await runLookup(path, [...args, '--version'])
  const version = parseVersion(output)
  const shown = quoteCommandLine(command)
  const least = LEAST_VERSION.join('.')
  if (version === undefined) {
    throw new StartError(
      'QEMU_TOO_OLD',
      `\`${shown}\` does not report its QEMU version, and ${least} or newer is needed`,
      {
        hint: 'Set the `qemu` option or COLDBOOT_QEMU to the path of a QEMU system emulator.',
        cause,
        sections: { 'It printed': output },
      },
    )
  }
  if (!isAtLeast(version, LEAST_VERSION)) {
    throw new StartError('QEMU_TOO_OLD', `\`${shown}\` is QEMU ${version}, and ${least} or newer is needed`)
  }
  return version
}

function notFound(name: string, arch: Architecture, isAsked: boolean): StartError {
  const where = name.includes('/') ? 'it is not an executable file' : `it is not on PATH (${process.env['PATH'] ?? ''})`
  const list = name.trim().split(/\s+/)
  const missing = isAsked ? undefined : missingQemuPackage(arch)
  const fromNpm = missing === undefined ? '' : `The npm package ${missing} is not installed either`
  const hint = [
    ...(missing === undefined ? [] : [`Add it: npm install --save-dev ${missing}`]),
    `${missing === undefined ? 'Install it' : 'Or install QEMU on this host'} with: ${installCommand(arch)}`,
    'Or set the `qemu` option or COLDBOOT_QEMU to the path of the binary.',
  ].join('\n')
  const message = `QEMU was not found: tried \`${name}\`, and ${where}${fromNpm && `. ${fromNpm}`}`
  return new StartError('QEMU_NOT_FOUND', message, {
    hint:
      list.length > 1
        ? `A string is a single path. To pass arguments too, use a list: qemu: ${JSON.stringify(list)}`
        : hint,
  })
}

const DEBIAN_PACKAGES: Readonly<Record<Architecture, string>> = {
  x86_64: 'qemu-system-x86',
  i386: 'qemu-system-x86',
  aarch64: 'qemu-system-arm',
  arm: 'qemu-system-arm',
  riscv64: 'qemu-system-misc',
  ppc64: 'qemu-system-ppc',
  s390x: 'qemu-system-misc',
}

function installCommand(arch: Architecture): string {
  if (process.platform === 'darwin') return 'brew install qemu'
  if (findOnPath('apt-get')) return `sudo apt-get install ${DEBIAN_PACKAGES[arch]}`
  if (findOnPath('dnf')) return `sudo dnf install qemu-system-${arch === 'x86_64' || arch === 'i386' ? 'x86' : arch}`
  if (findOnPath('pacman')) return 'sudo pacman -S qemu-full'
  if (findOnPath('apk')) return `sudo apk add qemu-system-${arch}`
  return `your system's package manager (the package contains ${binaryName(arch)})`
}
