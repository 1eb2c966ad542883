/**
 * Public API to find a kernel of the user, with its modules, in Debian packages, a build tree or separate files. Loads the code
 * for each source on demand.
 */
import { OptionError } from '@coldboot/core'
import { Cache, type CheckTable, checkTable, isPath, readEnvironment } from '@coldboot/core/internal'
import type { OnGuestProgress } from '../progress.ts'
import type { Kernel } from './kernel.ts'

/** Options of {@link kernelOf}. Exactly one of `deb`, `dir` and `vmlinuz` is required. */
export interface KernelOfOptions {
  /**
   * Path of a Debian package, such as `linux-image-6.1.0-57-amd64_…_amd64.deb` or one of `make bindeb-pkg`. Ubuntu has
   * the modules in a second package: pass both. Needs `dpkg-deb`. @default none
   */
  readonly deb?: string | readonly string[] | undefined
  /**
   * A build tree after `make`, also one of `O=…`, or a directory with `boot/vmlinuz-…` and `lib/modules`, such as an
   * unpacked package. @default none
   */
  readonly dir?: string | undefined
  /** A kernel image: bzImage, Image, zImage, or vmlinux. @default none */
  readonly vmlinuz?: string | undefined
  /**
   * Modules for `vmlinuz` or `dir`: a `lib/modules/<release>`, or a directory that contains it, such as the
   * `INSTALL_MOD_PATH` of `make modules_install`. @default those in `dir`; none for `vmlinuz`
   */
  readonly modules?: string | undefined
  /** Directory of cached unpacked packages. @default COLDBOOT_CACHE, else `coldboot` in the user's cache folder */
  readonly cacheDirectory?: string | undefined
  /** Called while a package is read. @default none */
  readonly onProgress?: OnGuestProgress | undefined
}

const CHECKS: CheckTable<Required<KernelOfOptions>> = {
  deb: ['a path or a list of paths', (value) => [value].flat().length > 0 && [value].flat().every(isPath[1])],
  dir: isPath,
  vmlinuz: isPath,
  modules: isPath,
  cacheDirectory: isPath,
  onProgress: ['a function', (value) => typeof value === 'function'],
}

/**
 * Finds a kernel and its modules, for `linuxGuest({ kernel })`. QEMU boots the image unchanged, except that of a package, which
 * is prepared for a faster boot.
 *
 * @throws OptionError `FILE_MISSING` for a missing file, or a directory without a kernel; `KERNEL_MISMATCH` when the modules
 * were built for another version than the kernel; `INVALID_OPTION`, also for a file that is not a kernel; `UNKNOWN_OPTION`
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` when a package cannot be read
 */
export async function kernelOf(options: KernelOfOptions): Promise<Kernel> {
  checkOptions(options)
  const { deb, dir, vmlinuz, modules, cacheDirectory, onProgress = () => {} } = options
  const cache = new Cache(cacheDirectory ?? readEnvironment().cacheDirectory)
  if (deb !== undefined) {
    const { kernelOfPackages } = await import('./kernel-of-packages.ts')
    return kernelOfPackages([deb].flat(), { cache, onProgress })
  }
  const { kernelOfFiles } = await import('./kernel-of-files.ts')
  return kernelOfFiles({ dir, vmlinuz, modules }, cache)
}

function checkOptions(options: KernelOfOptions): void {
  checkTable('kernelOf', options, CHECKS)
  const sources = [options.deb, options.dir, options.vmlinuz].filter((source) => source !== undefined)
  if (sources.length !== 1) {
    throw new OptionError('INVALID_OPTION', 'kernelOf needs exactly one of `deb`, `dir` and `vmlinuz`')
  }
  if (options.deb !== undefined && options.modules !== undefined) {
    throw new OptionError('INVALID_OPTION', 'kernelOf: `deb` and `modules` cannot be combined', {
      hint: 'A package has its modules. Pass a second package as `deb: [image, modules]`.',
    })
  }
}
