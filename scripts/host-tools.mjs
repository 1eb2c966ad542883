// @ts-check
/** Finds missing tools of the host, and the command that installs them on each operating system. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * @typedef {'qemu' | 'busybox' | 'mtools' | 'dosfstools' | 'tcpdump' | 'qemu-img' | 'qemu-aarch64' | 'ovmf' | 'aavmf' |
 *   'qemu-guest-agent' | 'debootstrap' | 'e2fsprogs' | 'build-essential' | 'chromium' | 'gdb' |
 *   'python3-libkdumpfile' | 'libfaketime' | 'dnsmasq' | 'swtpm'} Tool
 * @typedef {{ platform: NodeJS.Platform, arch: string, env: NodeJS.ProcessEnv, isRoot: boolean,
 *   find(command: string): string | undefined, isStatic(path: string): boolean, hasFile(path: string): boolean }} Host
 */

/** Node's name of an architecture → suffix of the QEMU binary, and the Debian package that contains it. */
const QEMU = /** @type {Readonly<Record<string, readonly [suffix: string, debianPackage: string]>>} */ ({
  x64: ['x86_64', 'qemu-system-x86'],
  ia32: ['i386', 'qemu-system-x86'],
  arm64: ['aarch64', 'qemu-system-arm'],
  arm: ['arm', 'qemu-system-arm'],
  ppc64: ['ppc64', 'qemu-system-ppc'],
  riscv64: ['riscv64', 'qemu-system-misc'],
  s390x: ['s390x', 'qemu-system-misc'],
})

/** Commands of a browser that can run without a display. */
const BROWSERS = ['chromium-headless-shell', 'chromium', 'google-chrome']
/** Part of the package debian-archive-keyring. */
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** Node's name of an architecture → path of the library of libfaketime. */
const FAKE_TIME = /** @type {Readonly<Record<string, string>>} */ ({
  x64: '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  arm64: '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
})
/** A file that only exists on Ubuntu. */
const UBUNTU = '/etc/dpkg/origins/ubuntu'

/** Package manager → its command, and its packages whose names differ from those of the tools. */
const MANAGERS = /** @type {Readonly<Record<string, { install: string, names: Partial<Record<Tool, string>> }>>} */ ({
  'apt-get': {
    install: 'apt-get install -y --no-install-recommends',
    names: {
      busybox: 'busybox-static',
      'qemu-img': 'qemu-utils',
      chromium: 'chromium-headless-shell',
      'qemu-aarch64': 'qemu-system-arm',
      aavmf: 'qemu-efi-aarch64',
      dnsmasq: 'dnsmasq-base',
    },
  },
  brew: { install: 'brew install', names: { 'qemu-img': 'qemu', 'qemu-aarch64': 'qemu' } },
  dnf: {
    install: 'dnf install',
    names: { qemu: 'qemu-system-x86-core', 'qemu-aarch64': 'qemu-system-aarch64-core' },
  },
  pacman: {
    install: 'pacman -S',
    names: { qemu: 'qemu-base', 'qemu-aarch64': 'qemu-system-aarch64' },
  },
  apk: {
    install: 'apk add',
    names: { qemu: 'qemu-system-x86_64', busybox: 'busybox-static', 'qemu-aarch64': 'qemu-system-aarch64' },
  },
})

/** This host. @param {NodeJS.ProcessEnv} env @returns {Host} */
export function thisHost(env) {
  return {
    platform: process.platform,
    arch: process.arch,
    env,
    isRoot: process.getuid?.() === 0,
    find: (command) =>
      (env['PATH'] ?? '')
        .split(delimiter)
        .map((folder) => join(folder, command))
        .find(isExecutable),
    hasFile: existsSync,
    // A dynamically linked program contains the name of its loader near its start.
    isStatic: (path) => !readFileSync(path).subarray(0, 4096).includes('/ld-'),
  }
}

/**
 * Whether the packages of QEMU and of the guest can and must be built on this host. Requires Debian's tools and keyring. Not
 * needed if environment variables select another QEMU or guest.
 * @param {Host} host
 */
export function canPack(host) {
  const { env, platform, arch } = host
  const isNamed = ['COLDBOOT_QEMU', 'UROOT_QEMU', 'COLDBOOT_KERNEL'].some((name) => Boolean(env[name]))
  const hasTools = ['apt-get', 'apt-cache', 'dpkg-deb'].every((command) => host.find(command) !== undefined)
  return platform === 'linux' && ['x64', 'arm64'].includes(arch) && !isNamed && hasTools && host.hasFile(DEBIAN_KEYRING)
}

/**
 * The missing tools. QEMU may be selected by an environment variable instead of PATH. Busybox is not needed on macOS, which
 * has no default guest, or if an environment variable selects the initramfs.
 * @param {readonly Tool[]} needed @param {Host} host @returns {Tool[]}
 */
export function missingTools(needed, host) {
  const { env, platform } = host
  const has = (/** @type {string} */ command) => host.find(command) !== undefined
  const busybox = host.find('busybox')
  const isThere = {
    qemu: () => Boolean(env['COLDBOOT_QEMU'] || env['UROOT_QEMU']) || has(`qemu-system-${qemuOf(host)[0]}`),
    busybox: () =>
      platform !== 'linux' || Boolean(env['COLDBOOT_INITRAMFS']) || (busybox !== undefined && host.isStatic(busybox)),
    mtools: () => has('mcopy'),
    dosfstools: () => has('fsck.fat'),
    tcpdump: () => has('tcpdump'),
    'qemu-img': () => has('qemu-img'),
    'qemu-aarch64': () => has('qemu-system-aarch64'),
    // On other systems, firmware is part of QEMU or has other paths. Tests that need it report if it is missing.
    ovmf: () => !has('apt-get') || host.hasFile('/usr/share/OVMF'),
    aavmf: () => !has('apt-get') || host.hasFile('/usr/share/AAVMF'),
    'qemu-guest-agent': () => !has('apt-get') || has('qemu-ga'),
    gdb: () => !has('apt-get') || has('gdb'),
    swtpm: () => !has('apt-get') || has('swtpm'),
    'python3-libkdumpfile': () => !has('apt-get') || host.hasFile('/usr/lib/python3/dist-packages/kdumpfile'),
    libfaketime: () => !has('apt-get') || host.hasFile(FAKE_TIME[host.arch] ?? ''),
    dnsmasq: () => !has('apt-get') || host.hasFile('/usr/sbin/dnsmasq'),
    // debootstrap needs root.
    debootstrap: () => !has('apt-get') || !host.isRoot || has('debootstrap'),
    e2fsprogs: () => !has('apt-get') || !host.isRoot || has('mkfs.ext4'),
    // Tests build kernel modules only with headers of Debian.
    'build-essential': () => !host.hasFile('/etc/dpkg/origins/debian') || (has('make') && has('gcc')),
    // Ubuntu has no such package, and macOS has another browser. Tests that need a browser report if it is missing.
    chromium: () => !host.hasFile('/etc/dpkg/origins/debian') || host.hasFile(UBUNTU) || BROWSERS.some(has),
  }
  return needed.filter((tool) => !isThere[tool]())
}

/** The Debian packages that contain the tools. @param {readonly Tool[]} tools @param {Host} host @returns {string[]} */
export function debianPackages(tools, host) {
  const names = tools.map((tool) => (tool === 'qemu' ? qemuOf(host)[1] : (MANAGERS['apt-get']?.names[tool] ?? tool)))
  // A package may contain several tools.
  return [...new Set(names)]
}

/**
 * Advice for installing the tools: a sentence, and the command if it is known.
 * @param {readonly Tool[]} tools @param {Host} host @returns {string}
 */
export function installAdvice(tools, host) {
  const order = host.platform === 'darwin' ? ['brew'] : Object.keys(MANAGERS)
  const name = order.find((it) => host.find(it) !== undefined) ?? (host.platform === 'darwin' ? 'brew' : '')
  const manager = MANAGERS[name]
  if (manager === undefined) {
    const wanted = {
      qemu: `QEMU 7.2 or newer (qemu-system-${qemuOf(host)[0]})`,
      busybox: 'a statically linked busybox',
      mtools: 'mtools (mcopy)',
      dosfstools: 'dosfstools (fsck.fat)',
      tcpdump: 'tcpdump',
      'qemu-img': 'qemu-img',
      'qemu-aarch64': 'qemu-system-aarch64',
      ovmf: 'OVMF',
      aavmf: 'AAVMF',
      'qemu-guest-agent': 'qemu-ga',
      debootstrap: 'debootstrap',
      e2fsprogs: 'mkfs.ext4',
      'build-essential': 'make and gcc',
      chromium: 'chromium',
      gdb: 'gdb',
      dnsmasq: 'dnsmasq',
      'python3-libkdumpfile': 'the Python module of libkdumpfile',
      libfaketime: 'libfaketime',
      swtpm: 'swtpm',
    }
    return `Install these tools: ${tools.map((tool) => wanted[tool]).join(', ')}. Then try again.`
  }
  const names =
    name === 'apt-get' ? debianPackages(tools, host) : [...new Set(tools.map((tool) => manager.names[tool] ?? tool))]
  const commands = [...(name === 'apt-get' ? ['apt-get update'] : []), `${manager.install} ${names.join(' ')}`]
  const needsRoot = name !== 'brew' && !host.isRoot
  const sudo = needsRoot && host.find('sudo') !== undefined ? 'sudo ' : ''
  const who = needsRoot && sudo === '' ? 'Run this as root' : 'Run this'
  return `${who}, then try again:\n\n  ${commands.map((it) => sudo + it).join(' && ')}`
}

/** @param {Host} host */
function qemuOf(host) {
  return QEMU[host.arch] ?? [host.arch, 'qemu-system']
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
