/**
 * Finds QEMU in the optional npm package `@coldboot/qemu`. Without this package, the QEMU of the host is used.
 */
import type { Engine } from '@coldboot/qemu'

type QemuPackage = typeof import('@coldboot/qemu')

/** The QEMU for a guest; undefined if npm has not installed it. @param arch QEMU's name of the architecture */
export function packagedQemu(arch: string): Engine | undefined {
  return loadPackage()?.findEngine(arch)
}

/**
 * Name of the npm package with a QEMU for the guest; undefined if there is none or it is installed.
 * @param arch QEMU's name of the architecture
 */
export function missingQemuPackage(arch: string): string | undefined {
  const loaded = loadPackage()
  if (!loaded) return process.platform === 'linux' ? '@coldboot/qemu' : undefined
  return loaded.findEngine(arch) ? undefined : loaded.enginePackage(arch)
}

/** Path of the program that ties a child to this process (see `Engine.tie`); undefined if npm has not installed it. */
export function packagedTie(): string | undefined {
  return packagedQemu(ENGINE_OF_HOST[process.arch] ?? process.arch)?.tie
}

/** Host architectures that have a package: Node's name → QEMU's name. */
const ENGINE_OF_HOST: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

let loaded: { readonly module: QemuPackage | undefined } | undefined

function loadPackage(): QemuPackage | undefined {
  loaded ??= { module: requirePackage() }
  return loaded.module
}

function requirePackage(): QemuPackage | undefined {
  // Not imported, because a test runner may replace `createRequire` with a function that cannot load ES modules.
  const { createRequire } = process.getBuiltinModule('node:module')
  try {
    return createRequire(import.meta.url)('@coldboot/qemu') as QemuPackage
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
