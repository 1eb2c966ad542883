/**
 * Finds QEMU in npm packages. The package for the host is a dependency of this one; packages for other guest architectures are
 * installed by users. Starts no process, and ignores the QEMU of the host.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A QEMU in an npm package. */
export interface Engine {
  /** Name of the package, for example `@coldboot/qemu-linux-x64`. */
  readonly package: string
  /** Absolute path of the program. It needs no files of the host, and takes QEMU's arguments. */
  readonly program: string
  /**
   * Absolute path of a small program for `[tie, pid, file, ...arguments]`. It executes `file`, which the kernel kills with
   * SIGKILL when the thread that started it ends. `pid` is the process of that thread. Works for any program of the host.
   */
  readonly tie: string
  /** Absolute path of the folder of firmware descriptors, which may be missing. Their paths are relative to that folder. */
  readonly firmware: string
}

/** A host, with Node's names. */
export interface EngineHost {
  /** @default process.platform */
  readonly platform?: string
  /** @default process.arch */
  readonly cpu?: string
}

/** QEMU's name of a guest architecture → suffix of the program. 64-bit programs also run 32-bit guests. */
const PROGRAMS: Readonly<Record<string, string>> = {
  x86_64: 'x86_64',
  i386: 'x86_64',
  aarch64: 'aarch64',
  arm: 'aarch64',
  riscv64: 'riscv64',
  ppc64: 'ppc64',
  s390x: 's390x',
}

/** Host → suffix of the program in its default package, and suffixes of the programs in additional packages. */
const HOSTS: Readonly<Record<string, { readonly own: string; readonly added: readonly string[] }>> = {
  'linux-x64': { own: 'x86_64', added: ['aarch64', 'riscv64', 'ppc64', 's390x'] },
  'linux-arm64': { own: 'aarch64', added: ['x86_64'] },
}

/**
 * Returns the name of the package with QEMU for a guest; undefined if there is none.
 * @param guest QEMU's name of the architecture, for example `aarch64`
 */
export function enginePackage(guest: string, host: EngineHost = {}): string | undefined {
  const { platform = process.platform, cpu = process.arch } = host
  const packages = HOSTS[`${platform}-${cpu}`]
  const program = PROGRAMS[guest]
  if (packages === undefined || program === undefined) return undefined
  const name = `@coldboot/qemu-${platform}-${cpu}`
  if (program === packages.own) return name
  return packages.added.includes(program) ? `${name}-${program}` : undefined
}

/**
 * Finds QEMU for a guest on this host, in the dependencies of this package or of the project in the working directory.
 * @returns undefined if the package is not installed
 * @param guest QEMU's name of the architecture, for example `aarch64`
 */
export function findEngine(guest: string): Engine | undefined {
  const name = enginePackage(guest)
  const folder = name === undefined ? undefined : packageFolder(name)
  if (name === undefined || folder === undefined) return undefined
  const program = join(folder, 'bin', `qemu-system-${PROGRAMS[guest]}`)
  // In a checkout, the folder of the package exists before its files are built.
  if (!existsSync(program)) return undefined
  return {
    package: name,
    program,
    tie: join(folder, 'bin', 'coldboot-tie'),
    firmware: join(folder, 'lib', 'qemu-bundle', 'usr', 'share', 'qemu', 'firmware'),
  }
}

function packageFolder(name: string): string | undefined {
  // Bypasses `import`, because a test runner may mock imported modules.
  const { createRequire } = process.getBuiltinModule('node:module')
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json'))]) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`))
    } catch {
      // Not installed: tries the next location.
    }
  }
  return undefined
}
