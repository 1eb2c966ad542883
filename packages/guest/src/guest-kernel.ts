/** A kernel that a guest can boot, with its modules, whether it comes from a package or from Debian's archive. */
import { BUNDLED_MODULES } from './device-modules.ts'
import { type KernelModule, loadOrder, type ModuleIndex } from './modules.ts'

/** A module with its file's content, uncompressed. */
export interface ModuleFile {
  readonly module: KernelModule
  readonly data: Uint8Array
}

/** What a guest gets of a kernel's modules. */
export interface GuestModules {
  /** The modules asked for, those that every guest has, and all they need: each after what it needs. */
  readonly files: readonly ModuleFile[]
  /** Names of what is compiled into the kernel. */
  readonly builtIn: readonly string[]
}

/** A kernel. */
export interface GuestKernel {
  /** `linux-image-6.1.0-56-amd64_6.1.192-2_amd64`: Debian's package and its version. */
  readonly id: string
  /** As `uname -r` in the guest: `6.1.0-56-amd64`. */
  readonly release: string
  /** Path of the file that QEMU boots. */
  readonly image: string
  /**
   * Reads the modules asked for, those that every guest has, and all they need.
   * @throws OptionError `GUEST_MODULE_MISSING`
   * @throws StartError `GUEST_KERNEL_UNAVAILABLE` when files of the kernel are damaged
   */
  readModules(wanted: readonly string[]): Promise<GuestModules>
}

/** The modules to read for a guest, in the order of loading. @throws OptionError `GUEST_MODULE_MISSING` */
export function modulesFor(index: ModuleIndex, wanted: readonly string[]): readonly KernelModule[] {
  const bundled = BUNDLED_MODULES.filter((name) => Object.hasOwn(index.modules, name))
  return loadOrder(index, [...wanted, ...bundled])
}
