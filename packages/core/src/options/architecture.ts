/**
 * Table of the differences between guest architectures: machine type, CPU, console, virtio transport. Verified with
 * QEMU 7.2 and the kernels of Debian.
 */
import { type Check, oneOf } from './checked-options.ts'

/** Guest architectures by QEMU's names. */
export type Architecture = 'x86_64' | 'i386' | 'aarch64' | 'arm' | 'riscv64' | 'ppc64' | 's390x'

/** One row of the table. */
export interface ArchitectureTraits {
  /** QEMU's machine type, with its properties. */
  readonly machine: string
  /** Machine type without a `kernel`. @default `machine` */
  readonly machineWithoutKernel?: string
  /** Machine property that makes the firmware print on the serial console, if it does not by default. */
  readonly firmwareOnSerial?: string
  /** CPU model without hardware acceleration. */
  readonly cpu: string
  /** Linux name of the first serial port, as in `console=`. */
  readonly consoleDevice: string
  /** Suffix of the names of virtio devices in QEMU. */
  readonly virtioTransport: 'pci' | 'ccw'
  /** Whether QEMU supports `vmgenid`, which tells a guest that it is a copy. @default false */
  readonly generationId?: boolean
  /** Most memory the guest can have, MiB. */
  readonly maxMemoryMib?: number
  /** Longest kernel command line, bytes. */
  readonly maxKernelArgsBytes?: number
  /** Device of the first serial port, if it must be added explicitly. */
  readonly consoleFrontend?: string
}

/**
 * All features, except those that are slow without hardware acceleration. With ERMS, Linux copies and clears pages bytewise,
 * and without it only a CPU of Intel uses 8 bytes at a time: a shell pipeline takes 0.7 of the time, and writing and reading
 * 30 MB 0.6. Page tables with five levels (LA57) make each walk longer. Measured with Linux 6.1 and QEMU 11.1.
 */
const EMULATED_PC_CPU = 'max,vendor=GenuineIntel,erms=off,fsrm=off,la57=off'

const PC: ArchitectureTraits = {
  machine: 'pc',
  // With this property, SeaBIOS also prints on the serial console.
  firmwareOnSerial: 'graphics=off',
  cpu: EMULATED_PC_CPU,
  consoleDevice: 'ttyS0',
  virtioTransport: 'pci',
  generationId: true,
  // Linux has 2048 bytes, with the NUL. Without this check, a longer command line ends the boot without any output.
  maxKernelArgsBytes: 2047,
}

/** The table of all architectures. */
export const ARCHITECTURES: Readonly<Record<Architecture, ArchitectureTraits>> = {
  x86_64: PC,
  // 2047 MiB is QEMU's own limit for 32-bit PCs.
  i386: { ...PC, maxMemoryMib: 2047 },
  // With the CPU `max`, a boot takes 3 s longer, because its pointer authentication is slow to emulate.
  aarch64: { machine: 'virt', cpu: 'cortex-a57', consoleDevice: 'ttyAMA0', virtioTransport: 'pci' },
  // highmem=off places the PCI window at addresses that a kernel without LPAE can access.
  arm: { machine: 'virt,highmem=off', cpu: 'cortex-a15', consoleDevice: 'ttyAMA0', virtioTransport: 'pci' },
  riscv64: { machine: 'virt', cpu: 'rv64', consoleDevice: 'ttyS0', virtioTransport: 'pci' },
  ppc64: {
    // The firmware VOF starts a kernel a second sooner than SLOF, but cannot boot from a disk.
    machine: 'pseries,x-vof=on',
    machineWithoutKernel: 'pseries',
    cpu: 'power9',
    consoleDevice: 'hvc0',
    virtioTransport: 'pci',
  },
  s390x: {
    machine: 's390-ccw-virtio',
    cpu: 'max',
    consoleDevice: 'ttysclp0',
    virtioTransport: 'ccw',
    // ARCH_COMMAND_LINE_SIZE of Linux on s390. QEMU checks the same limit.
    maxKernelArgsBytes: 896,
    consoleFrontend: 'sclpconsole',
  },
}

const NODE_TO_QEMU: Readonly<Record<string, Architecture>> = {
  x64: 'x86_64',
  ia32: 'i386',
  arm64: 'aarch64',
  arm: 'arm',
  riscv64: 'riscv64',
  ppc64: 'ppc64',
  s390x: 's390x',
}

/** QEMU's name of the host architecture; undefined if it is not in the table. */
export function hostArchitecture(nodeArch: string = process.arch): Architecture | undefined {
  return NODE_TO_QEMU[nodeArch]
}

/** Names of other tools (Docker, Node, Debian, LLVM) for the architectures. */
const ALIASES: Readonly<Record<string, Architecture>> = {
  ...{ amd64: 'x86_64', x64: 'x86_64', 'x86-64': 'x86_64' },
  ...{ x86: 'i386', i686: 'i386', ia32: 'i386', 386: 'i386' },
  ...{ arm64: 'aarch64', armv8: 'aarch64' },
  ...{ armhf: 'arm', armv7: 'arm', armv7l: 'arm', arm32: 'arm' },
  ...{ riscv: 'riscv64', ppc64le: 'ppc64', ppc64el: 'ppc64', powerpc64: 'ppc64', s390: 's390x' },
}

/** The check of an option `arch`. */
export const isArchitecture: Check = oneOf(Object.keys(ARCHITECTURES), ALIASES)
