/** A kernel of the user for `linuxGuest({ kernel })`. */
import type { Architecture } from '@coldboot/core'
import type { GuestKernel } from '../guest-kernel.ts'

/** A kernel with its modules, found by {@link kernelOf}. */
export interface Kernel {
  /** Architecture by QEMU's name. */
  readonly arch: Architecture
  /** As `uname -r` in the guest: `6.12.0-rc3+`. */
  readonly release: string
  /** Absolute path of the file that QEMU boots. */
  readonly image: string
  /** Absolute path of its System.map; undefined for a package, whose kernel contains the names of its functions. */
  readonly systemMap?: string | undefined
}

/** A {@link Kernel} with the code that reads its modules. */
export class OwnKernel implements Kernel {
  readonly arch: Architecture
  readonly release: string
  readonly image: string
  readonly systemMap?: string
  readonly #parts: GuestKernel

  constructor(arch: Architecture, parts: GuestKernel, systemMap?: string) {
    this.arch = arch
    this.release = parts.release
    this.image = parts.image
    if (systemMap !== undefined) this.systemMap = systemMap
    this.#parts = parts
    Object.freeze(this)
  }

  /** Returns the parts of a kernel; undefined for an object that `kernelOf` did not create. */
  static partsOf(kernel: unknown): GuestKernel | undefined {
    return kernel instanceof OwnKernel ? kernel.#parts : undefined
  }
}
