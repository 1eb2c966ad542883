/**
 * Finds QEMU in the packages of npm that have it: one comes with this package for the host, others are for guests of another
 * architecture, and a user adds them. Nothing is started, and nothing of the host is looked at.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A QEMU of a package. */
export interface Engine {
  /** The package: `@coldboot/qemu-linux-x64`. */
  readonly package: string
  /** Absolute path of the program. It needs nothing of the host, and takes QEMU's arguments. */
  readonly program: string
  /**
   * Absolute path of a small program, started as `[tie, pid, file, ...arguments]`: it becomes `file`, which the kernel kills
   * with SIGKILL when the thread that started it ends. `pid` is the process of that thread. For any program of the host.
   */
  readonly tie: string
  /** Absolute path of a folder of QEMU's firmware descriptors; it may be absent. Paths in them start from that folder. */
  readonly firmware: string
}

/** A host, in Node's names. */
export interface EngineHost {
  /** @default process.platform */
  readonly platform?: string
  /** @default process.arch */
  readonly cpu?: string
}

/** Guest architecture by QEMU's name → suffix of the program that runs it: the 64-bit programs run the 32-bit guests. */
const PROGRAMS: Readonly<Record<string, string>> = {
  x86_64: 'x86_64',
  i386: 'x86_64',
  aarch64: 'aarch64',
  arm: 'aarch64',
  riscv64: 'riscv64',
  ppc64: 'ppc64',
  s390x: 's390x',
}

/** Host → the program in its own package, and those that have a package to be added. */
const HOSTS: Readonly<Record<string, { readonly own: string; readonly added: readonly string[] }>> = {
  'linux-x64': { own: 'x86_64', added: ['aarch64', 'riscv64', 'ppc64', 's390x'] },
  'linux-arm64': { own: 'aarch64', added: ['x86_64'] },
}

/**
 * Name of the package with the QEMU for a guest; undefined when there is none.
 * @param guest architecture by QEMU's name: `aarch64`
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
 * The QEMU for a guest on this host, from this package's own dependencies or from those of the project in the working
 * directory; undefined when its package is not installed.
 * @param guest architecture by QEMU's name: `aarch64`
 */
export function findEngine(guest: string): Engine | undefined {
  const name = enginePackage(guest)
  const folder = name === undefined ? undefined : packageFolder(name)
  if (name === undefined || folder === undefined) return undefined
  const program = join(folder, 'bin', `qemu-system-${PROGRAMS[guest]}`)
  // In a working copy of the project the package is there before its content is made.
  if (!existsSync(program)) return undefined
  return {
    package: name,
    program,
    tie: join(folder, 'bin', 'coldboot-tie'),
    firmware: join(folder, 'share', 'qemu', 'firmware'),
  }
}

function packageFolder(name: string): string | undefined {
  // Not imported: a test runner may give its own.
  const { createRequire } = process.getBuiltinModule('node:module')
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json'))]) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`))
    } catch {
      // Not there: the next place.
    }
  }
  return undefined
}
