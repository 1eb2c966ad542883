// @ts-check
/** Tables of the QEMU packages: their hosts, guests, and files from Debian packages. */

/** Suites of Debian. QEMU and its BIOS come from backports, which has the newest version for a stable Debian. */
export const SUITES = ['trixie', 'trixie-updates', 'trixie-security', 'trixie-backports']
export const PINS = { qemu: 'trixie-backports', seabios: 'trixie-backports' }

/**
 * @typedef {object} Host
 * @property {string} debian Debian's name of the architecture
 * @property {string} qemu QEMU's name of the architecture
 * @property {string} triplet folder of its libraries
 */

/** Node's name of a host → the host. */
export const HOSTS = /** @type {Readonly<Record<string, Host>>} */ ({
  x64: { debian: 'amd64', qemu: 'x86_64', triplet: 'x86_64-linux-gnu' },
  arm64: { debian: 'arm64', qemu: 'aarch64', triplet: 'aarch64-linux-gnu' },
})

/**
 * @typedef {object} Guest
 * @property {string} program name of QEMU's program
 * @property {readonly string[]} debian packages with the program and its data
 * @property {readonly string[]} data files below `/usr/`, which are copied to the same path in `qemu-bundle`
 * @property {string} [uefi] name of the firmware descriptor for UEFI without Secure Boot
 */

const QEMU_DATA = 'share/qemu'
/** Files for displays. `-vnc` needs the keymap. */
const COMMON_DATA = [`${QEMU_DATA}/keymaps/en-us`]
/** Boot ROMs of the network cards that this project creates. */
const ROMS = ['virtio', 'e1000', 'e1000e', 'rtl8139'].map((card) => `${QEMU_DATA}/efi-${card}.rom`)

/** Guest architecture → its QEMU. i386 and arm are omitted, because the 64-bit programs run these guests. */
export const GUESTS = /** @type {Readonly<Record<string, Guest>>} */ ({
  x86_64: {
    program: 'qemu-system-x86_64',
    debian: ['qemu-system-x86', 'qemu-system-common', 'qemu-system-data', 'seabios', 'ipxe-qemu', 'ovmf'],
    data: [
      ...COMMON_DATA,
      ...ROMS,
      ...['kvmvapic.bin', 'linuxboot_dma.bin', 'multiboot_dma.bin', 'pvh.bin', 'qboot.rom'].map(
        (name) => `${QEMU_DATA}/${name}`,
      ),
      ...['bios-256k.bin', 'bios.bin', 'bios-microvm.bin'].map((name) => `share/seabios/${name}`),
      ...['stdvga', 'virtio', 'bochs-display', 'ramfb', 'cirrus', 'vmware', 'qxl'].map(
        (name) => `share/seabios/vgabios-${name}.bin`,
      ),
    ],
    uefi: '60-edk2-x86_64.json',
  },
  aarch64: {
    program: 'qemu-system-aarch64',
    debian: ['qemu-system-arm', 'qemu-system-common', 'qemu-system-data', 'ipxe-qemu', 'qemu-efi-aarch64'],
    data: [...COMMON_DATA, ...ROMS],
    uefi: '60-edk2-aarch64.json',
  },
  riscv64: {
    program: 'qemu-system-riscv64',
    debian: ['qemu-system-riscv', 'qemu-system-common', 'qemu-system-data', 'opensbi', 'ipxe-qemu'],
    data: [...COMMON_DATA, ...ROMS, `${QEMU_DATA}/opensbi-riscv64-generic-fw_dynamic.bin`],
  },
  ppc64: {
    program: 'qemu-system-ppc64',
    debian: ['qemu-system-ppc', 'qemu-system-common', 'qemu-system-data', 'ipxe-qemu'],
    data: [...COMMON_DATA, ...ROMS, `${QEMU_DATA}/slof.bin`, `${QEMU_DATA}/vof.bin`],
  },
  s390x: {
    program: 'qemu-system-s390x',
    debian: ['qemu-system-s390x', 'qemu-system-common', 'qemu-system-data', 'ipxe-qemu'],
    data: [...COMMON_DATA, ...ROMS, `${QEMU_DATA}/s390-ccw.img`],
  },
})

/** Modules that QEMU loads on demand. Other modules need large libraries. */
export const MODULES = ['hw-display-virtio-gpu', 'hw-display-virtio-gpu-pci', 'hw-display-virtio-vga', 'hw-uefi-vars']

/**
 * Package without its scope → host and guest. `@coldboot/qemu` installs the first package of each host.
 * @type {Readonly<Record<string, { host: string, guest: string }>>}
 */
export const QEMU_PACKAGES = {
  'qemu-linux-x64': { host: 'x64', guest: 'x86_64' },
  'qemu-linux-arm64': { host: 'arm64', guest: 'aarch64' },
  'qemu-linux-x64-aarch64': { host: 'x64', guest: 'aarch64' },
  'qemu-linux-x64-riscv64': { host: 'x64', guest: 'riscv64' },
  'qemu-linux-x64-ppc64': { host: 'x64', guest: 'ppc64' },
  'qemu-linux-x64-s390x': { host: 'x64', guest: 's390x' },
  'qemu-linux-arm64-x86_64': { host: 'arm64', guest: 'x86_64' },
}
