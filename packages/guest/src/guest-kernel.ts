/** A kernel for a guest with its modules, from any source. */
import { BUNDLED_MODULES } from './device-modules.ts'
import { type KernelModule, loadOrder, type ModuleIndex } from './modules.ts'

/** A module with its file's content, uncompressed. */
export interface ModuleFile {
  readonly module: KernelModule
  readonly data: Uint8Array
}

/** The part of a kernel's modules that a guest contains. */
export interface GuestModules {
  /** The requested modules, those of every guest, and all dependencies, each after its own dependencies. */
  readonly files: readonly ModuleFile[]
  /** Names of the modules that are compiled into the kernel. */
  readonly builtIn: readonly string[]
}

/** A kernel with access to its modules. */
export interface GuestKernel {
  /** `linux-image-6.1.0-56-amd64_6.1.192-2_amd64`: Debian's package and its version. */
  readonly id: string
  /** As `uname -r` in the guest: `6.1.0-56-amd64`. */
  readonly release: string
  /** Path of the file that QEMU boots. */
  readonly image: string
  /**
   * Reads the requested modules, those of every guest, and all dependencies.
   * @throws OptionError `GUEST_MODULE_MISSING`
   * @throws StartError `GUEST_KERNEL_UNAVAILABLE` when files of the kernel are damaged
   */
  readModules(wanted: readonly string[]): Promise<GuestModules>
}

/** Returns the modules of a guest in loading order. @throws OptionError `GUEST_MODULE_MISSING` */
export function modulesFor(index: ModuleIndex, wanted: readonly string[]): readonly KernelModule[] {
  const bundled = BUNDLED_MODULES.filter((name) => Object.hasOwn(index.modules, name))
  return loadOrder(index, [...wanted, ...bundled])
}
