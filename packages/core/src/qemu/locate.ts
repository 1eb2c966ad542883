/** Finds QEMU and its version. Looked up once per binary and process; the file's size and time tell a new one. */
import { statSync } from 'node:fs'
import { StartError } from '../errors.ts'
import type { Architecture } from '../options/architecture.ts'
import { findOnPath, runLookup } from './process.ts'

/** A QEMU that can be used. */
export interface QemuBinary {
  /** Absolute path of the binary, then its first arguments. */
  readonly command: readonly string[]
  /** As `7.2.22`. */
  readonly version: string
}

/** The oldest version with every argument this project uses: `-netdev stream` came with it. */
const LEAST_VERSION = [7, 2] as const

const versions = new Map<string, Promise<string>>()

/**
 * @param asked the binary and its first arguments, or undefined for `qemu-system-<arch>` on PATH
 * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`
 */
export async function locateQemu(arch: Architecture, asked: readonly string[] | undefined): Promise<QemuBinary> {
  const [name, ...args] = asked ?? [binaryName(arch)]
  const path = findOnPath(name ?? '')
  if (path === undefined) throw notFound(name ?? '', arch)
  const { size, mtimeMs } = statSync(path)
  const key = `${path}\0${size}\0${mtimeMs}`
  const lookup = versions.get(key) ?? lookUpVersion(path)
  versions.set(key, lookup)
  try {
    return { command: [path, ...args], version: await lookup }
  } catch (error) {
    // The host may have been short of something: the next machine asks again.
    versions.delete(key)
    throw error
  }
}

/** The command that stands for QEMU in a command line that is shown without a start. */
export function qemuCommand(arch: Architecture, asked: readonly string[] | undefined): readonly string[] {
  const [name, ...args] = asked ?? [binaryName(arch)]
  return [findOnPath(name ?? '') ?? name ?? '', ...args]
}

function binaryName(arch: Architecture): string {
  return `qemu-system-${arch}`
}

async function lookUpVersion(path: string): Promise<string> {
  const { output, cause } = await runLookup(path, ['--version'])
  const version = /version (\d+)\.(\d+)(?:\.(\d+))?/.exec(output)
  const least = LEAST_VERSION.join('.')
  if (!version) {
    throw new StartError(
      'QEMU_TOO_OLD',
      `${path} does not say which version of QEMU it is, and ${least} or newer is needed`,
      {
        hint: 'Name a QEMU system emulator with the `qemu` option or COLDBOOT_QEMU.',
        cause,
        sections: { 'It printed': output },
      },
    )
  }
  const [found = '', major = '0', minor = '0', micro = '0'] = version
  if (Number(major) < LEAST_VERSION[0] || (Number(major) === LEAST_VERSION[0] && Number(minor) < LEAST_VERSION[1])) {
    throw new StartError(
      'QEMU_TOO_OLD',
      `${path} is QEMU ${found.replace('version ', '')}, and ${least} or newer is needed`,
    )
  }
  return `${major}.${minor}.${micro}`
}

function notFound(name: string, arch: Architecture): StartError {
  const where = name.includes('/')
    ? 'there is no executable file of that name'
    : `it is not on PATH (${process.env['PATH'] ?? ''})`
  const install = `Install it with: ${installCommand(arch)}\nOr name the binary with the \`qemu\` option or COLDBOOT_QEMU.`
  const list = name.trim().split(/\s+/)
  return new StartError('QEMU_NOT_FOUND', `QEMU was not found: tried \`${name}\`, and ${where}`, {
    hint:
      list.length > 1
        ? `A string is one path. The binary with arguments is a list: qemu: ${JSON.stringify(list)}`
        : install,
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
  return `your system's package manager (the package has the program ${binaryName(arch)})`
}
