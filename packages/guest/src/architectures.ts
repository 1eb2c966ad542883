/**
 * What differs between the guest's architectures, as data: Debian's names for them and their kernels, and the kernel
 * arguments that make a boot quick. Measured with Debian 12's kernels and QEMU 7.2 without hardware acceleration.
 */
import type { Architecture } from '@coldboot/core'

/** `generic`: every driver. `cloud`: smaller, virtio only (no 9p, AHCI, e1000, USB or vmgenid). */
export type Flavour = 'generic' | 'cloud'

/** One row of the table. */
export interface GuestArchitecture {
  /** Debian's name of the architecture. */
  readonly debianName: string
  /** Metapackages that depend on the current kernel of a flavour. */
  readonly kernelPackages: Readonly<Partial<Record<Flavour, string>>>
  /**
   * How the package's image is used: `vmlinux`: the unpacked kernel inside a bzImage, which QEMU starts by its PVH entry;
   * `flat`: the unpacked kernel as a bzImage that unpacks nothing; `as-is`: what the package has.
   */
  readonly image: 'vmlinux' | 'flat' | 'as-is'
  /** Kernel arguments, the console aside. */
  readonly kernelArgs: readonly string[]
  /** What to do when the archive has no kernel for it. */
  readonly hint?: string
  /** Least guest memory, MiB. */
  readonly memoryMib: number
}

/**
 * `panic=-1`: a panic ends the machine at once, its text whole. The others only leave out work at boot: self tests of
 * ciphers (0.25 s), mitigations against attacks from inside, randomised addresses.
 */
const QUICK_BOOT = ['panic=-1', 'cryptomgr.notests', 'mitigations=off']
const DEFAULT_MEMORY_MIB = 256

/** The table. */
export const GUEST_ARCHITECTURES: Readonly<Record<Architecture, GuestArchitecture>> = {
  x86_64: {
    debianName: 'amd64',
    kernelPackages: { generic: 'linux-image-amd64', cloud: 'linux-image-cloud-amd64' },
    image: 'vmlinux',
    // noreplace-smp: no rewriting of locks for one CPU and back (0.2 s). no_timer_check: on a busy host an emulated timer comes
    // too late for the kernel’s test of it, which ends in a panic (“IO-APIC + timer doesn't work”).
    kernelArgs: [...QUICK_BOOT, 'noreplace-smp', 'nokaslr', 'no_timer_check'],
    memoryMib: DEFAULT_MEMORY_MIB,
  },
  i386: {
    debianName: 'i386',
    kernelPackages: { generic: 'linux-image-686' },
    // Its kernel has no PVH entry.
    image: 'flat',
    kernelArgs: [...QUICK_BOOT, 'noreplace-smp', 'nokaslr', 'no_timer_check'],
    memoryMib: DEFAULT_MEMORY_MIB,
  },
  aarch64: {
    debianName: 'arm64',
    kernelPackages: { generic: 'linux-image-arm64', cloud: 'linux-image-cloud-arm64' },
    image: 'as-is',
    kernelArgs: [...QUICK_BOOT, 'nokaslr'],
    memoryMib: DEFAULT_MEMORY_MIB,
  },
  arm: {
    debianName: 'armhf',
    kernelPackages: { generic: 'linux-image-armmp' },
    image: 'as-is',
    kernelArgs: QUICK_BOOT,
    memoryMib: DEFAULT_MEMORY_MIB,
  },
  riscv64: {
    debianName: 'riscv64',
    hint: 'Debian has riscv64 since version 13: run there, or name a kernel and an initramfs of your own in COLDBOOT_KERNEL and COLDBOOT_INITRAMFS.',
    kernelPackages: { generic: 'linux-image-riscv64' },
    image: 'as-is',
    kernelArgs: QUICK_BOOT,
    memoryMib: DEFAULT_MEMORY_MIB,
  },
  ppc64: {
    debianName: 'ppc64el',
    kernelPackages: { generic: 'linux-image-powerpc64le' },
    image: 'as-is',
    kernelArgs: QUICK_BOOT,
    memoryMib: 512,
  },
  s390x: {
    debianName: 's390x',
    kernelPackages: { generic: 'linux-image-s390x' },
    image: 'as-is',
    kernelArgs: [...QUICK_BOOT, 'nokaslr'],
    memoryMib: DEFAULT_MEMORY_MIB,
  },
}
