/** A kernel whose image, module index and often used modules are in the cache. Other modules remain in its packages. */
import { access, readFile, rm } from 'node:fs/promises'
import { StartError } from '@coldboot/core'
import type { Cache, StoredFile } from '@coldboot/core/internal'
import { nodeCrypto } from '@coldboot/core/internal'
import { type GuestModules, modulesFor } from './guest-kernel.ts'
import type { KernelModule, ModuleIndex } from './modules.ts'

/** Cached parts of a kernel. */
export interface StoredKernel {
  /** As `uname -r` in the guest: `6.1.0-56-amd64`. */
  readonly release: string
  /** The file that QEMU boots. */
  readonly image: StoredFile
  /** {@link ModuleIndex} as JSON. */
  readonly modules: StoredFile
  /** Cache folder that contains module files at their path in the index. */
  readonly modulesFolder: string
}

/**
 * Reads modules for a guest. Removes damaged files before it throws, so that the next call unpacks them again.
 * @param packages returns the paths of the packages that contain the other modules
 */
export async function readStoredModules(
  cache: Cache,
  kernel: StoredKernel,
  wanted: readonly string[],
  packages: () => Promise<readonly string[]>,
): Promise<GuestModules> {
  const index = JSON.parse(await readFile(cache.path(kernel.modules.name), 'utf8')) as ModuleIndex
  const order = modulesFor(index, wanted)
  const path = (module: KernelModule): string => cache.path(`${kernel.modulesFolder}/${module.path}`)
  const present = await Promise.all(
    order.map((module) =>
      access(path(module)).then(
        () => true,
        () => false,
      ),
    ),
  )
  const absent = order.filter((_, position) => !present[position])
  if (absent.length > 0) await unpackModules(cache, kernel, absent, await packages())
  const files = await Promise.all(
    order.map(async (module) => {
      const data = await readFile(path(module)).catch(() => undefined)
      if (data && nodeCrypto().createHash('sha256').update(data).digest('hex') === module.sha256)
        return { module, data }
      await rm(path(module), { force: true })
      throw damaged(`The cached kernel module ${path(module)} was damaged`)
    }),
  )
  return { files, builtIn: index.builtIn }
}

async function unpackModules(
  cache: Cache,
  kernel: StoredKernel,
  modules: readonly KernelModule[],
  packages: readonly string[],
): Promise<void> {
  const { readKernelPackage } = await import('./kernel-package-reader.ts')
  const wanted = new Set(modules.map(({ path }) => path))
  for (const deb of packages) {
    await readKernelPackage(deb, async (file) => {
      if (file.kind !== 'module' || !wanted.has(file.path)) return
      await cache.publish(`${kernel.modulesFolder}/${file.path}`, await file.read())
    })
  }
}

/** Creates the error for a damaged file of the cache. */
export function damaged(message: string): StartError {
  return new StartError('GUEST_KERNEL_UNAVAILABLE', message, {
    hint: 'Run the tests again. The kernel is then downloaded again.',
  })
}
