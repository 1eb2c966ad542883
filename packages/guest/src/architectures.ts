/**
 * Table of guest architectures: Debian's names for the architecture and its kernels, and kernel arguments for a fast boot.
 * Times were measured with kernels of Debian 12 and QEMU 7.2 without hardware acceleration.
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
   * The image that QEMU starts. `vmlinux`: the unpacked kernel, at its PVH entry; `flat`: the unpacked kernel as a bzImage;
   * `as-is`: the file of the package.
   */
  readonly image: 'vmlinux' | 'flat' | 'as-is'
  /** Kernel arguments except that of the console. */
  readonly kernelArgs: readonly string[]
  /** Hint for the error when the archive has no kernel for it. */
  readonly hint?: string
  /** Smallest guest memory, MiB. */
  readonly memoryMib: number
}

/**
 * `panic=-1` ends the machine after a panic, when its whole text is printed. The others save time at boot: no self tests of
 * ciphers (0.25 s), no mitigations of CPU vulnerabilities, no randomised addresses.
 */
const QUICK_BOOT = ['panic=-1', 'cryptomgr.notests', 'mitigations=off']
const DEFAULT_MEMORY_MIB = 256

/** The table. */
export const GUEST_ARCHITECTURES: Readonly<Record<Architecture, GuestArchitecture>> = {
  x86_64: {
    debianName: 'amd64',
    kernelPackages: { generic: 'linux-image-amd64', cloud: 'linux-image-cloud-amd64' },
    image: 'vmlinux',
    // noreplace-smp: locks are not rewritten for one CPU and back (0.2 s). no_timer_check: on a busy host, an emulated timer
    // is too late for the test of the kernel, which then panics ("IO-APIC + timer doesn't work").
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
    hint: 'Debian has riscv64 since version 13. Run on it, or set COLDBOOT_KERNEL and COLDBOOT_INITRAMFS to your own kernel and initramfs.',
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
