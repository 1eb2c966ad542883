/**
 * QEMU from npm: the optional package `@coldboot/qemu`. A project that leaves optional dependencies out has none, and uses
 * what the host has installed.
 */
import type { Engine } from '@coldboot/qemu'

type QemuPackage = typeof import('@coldboot/qemu')

/** The QEMU for a guest; undefined when npm has not installed it. @param arch by QEMU's name */
export function packagedQemu(arch: string): Engine | undefined {
  return loadPackage()?.findEngine(arch)
}

/** The npm package that has a QEMU for the guest, when it exists and is not installed. @param arch by QEMU's name */
export function missingQemuPackage(arch: string): string | undefined {
  const loaded = loadPackage()
  if (!loaded) return process.platform === 'linux' ? '@coldboot/qemu' : undefined
  return loaded.findEngine(arch) ? undefined : loaded.enginePackage(arch)
}

/** The program that ties a child to this process, see `Engine.tie`; undefined when npm has not installed one for this host. */
export function packagedTie(): string | undefined {
  return packagedQemu(ENGINE_OF_HOST[process.arch] ?? process.arch)?.tie
}

/** Node's name of an architecture → QEMU's, of hosts that have a package. */
const ENGINE_OF_HOST: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

let loaded: { readonly module: QemuPackage | undefined } | undefined

function loadPackage(): QemuPackage | undefined {
  loaded ??= { module: requirePackage() }
  return loaded.module
}

function requirePackage(): QemuPackage | undefined {
  // Not imported: a test runner may give a `createRequire` that cannot load ES modules.
  const { createRequire } = process.getBuiltinModule('node:module')
  try {
    return createRequire(import.meta.url)('@coldboot/qemu') as QemuPackage
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
