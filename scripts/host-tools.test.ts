import { describe, expect, test } from 'vitest'
import { debianPackages, type Host, installAdvice, missingTools, type Tool } from './host-tools.mjs'

const all: readonly Tool[] = ['qemu', 'busybox', 'mtools', 'dosfstools']

function host(commands: readonly string[], rest: Partial<Host> = {}): Host {
  return {
    platform: 'linux',
    arch: 'x64',
    env: {},
    isRoot: false,
    find: (command) => (commands.includes(command) ? `/usr/bin/${command}` : undefined),
    isStatic: () => true,
    hasFile: () => false,
    ...rest,
  }
}

describe('missingTools', () => {
  test('are all tools on an empty host', () => {
    expect(missingTools(all, host([]))).toEqual(all)
  })

  test('are none on a complete host', () => {
    expect(missingTools(all, host(['qemu-system-x86_64', 'busybox', 'mcopy', 'fsck.fat']))).toEqual([])
  })

  test('are only those that are needed', () => {
    expect(missingTools(['qemu'], host([]))).toEqual(['qemu'])
  })

  test('include QEMU for the architecture of the host', () => {
    expect(missingTools(['qemu'], host(['qemu-system-x86_64'], { arch: 'arm64' }))).toEqual(['qemu'])
    expect(missingTools(['qemu'], host(['qemu-system-aarch64'], { arch: 'arm64' }))).toEqual([])
  })

  test.for(['COLDBOOT_QEMU', 'UROOT_QEMU'])('do not include QEMU if %s is set', (name) => {
    expect(missingTools(['qemu'], host([], { env: { [name]: '/opt/qemu' } }))).toEqual([])
  })

  test('include busybox if it is linked dynamically', () => {
    expect(missingTools(['busybox'], host(['busybox'], { isStatic: () => false }))).toEqual(['busybox'])
  })

  test('include firmware only on systems with apt', () => {
    expect(missingTools(['ovmf', 'aavmf'], host(['apt-get']))).toEqual(['ovmf', 'aavmf'])
    expect(missingTools(['ovmf', 'aavmf'], host(['apt-get'], { hasFile: () => true }))).toEqual([])
    expect(missingTools(['ovmf', 'aavmf'], host(['dnf']))).toEqual([])
  })

  test('include debootstrap only for root on systems with apt', () => {
    const tools: readonly Tool[] = ['debootstrap', 'e2fsprogs']
    expect(missingTools(tools, host(['apt-get'], { isRoot: true }))).toEqual(tools)
    expect(missingTools(tools, host(['apt-get', 'debootstrap', 'mkfs.ext4'], { isRoot: true }))).toEqual([])
    expect(missingTools(tools, host(['apt-get']))).toEqual([])
    expect(missingTools(tools, host(['dnf'], { isRoot: true }))).toEqual([])
  })

  test('include a browser only on Debian', () => {
    const debian: Partial<Host> = { hasFile: (path) => path === '/etc/dpkg/origins/debian' }
    expect(missingTools(['chromium'], host(['apt-get'], debian))).toEqual(['chromium'])
    expect(debianPackages(['chromium'], host(['apt-get'], debian))).toEqual(['chromium-headless-shell'])
    expect(missingTools(['chromium'], host(['apt-get', 'google-chrome'], debian))).toEqual([])
    expect(missingTools(['chromium'], host(['apt-get'], { hasFile: () => true }))).toEqual([])
    expect(missingTools(['chromium'], host(['dnf']))).toEqual([])
  })

  test('do not include busybox with a custom initramfs or on macOS', () => {
    expect(missingTools(['busybox'], host([], { env: { COLDBOOT_INITRAMFS: 'mine.cpio' } }))).toEqual([])
    expect(missingTools(['busybox'], host([], { platform: 'darwin' }))).toEqual([])
  })
})

describe('debianPackages', () => {
  test.for([
    ['x64', 'qemu-system-x86'],
    ['arm64', 'qemu-system-arm'],
    ['s390x', 'qemu-system-misc'],
  ] as const)('%s', ([arch, name]) => {
    expect(debianPackages(all, host([], { arch }))).toEqual([name, 'busybox-static', 'mtools', 'dosfstools'])
  })
})

test('lists a package with two tools once', () => {
  expect(debianPackages(['qemu', 'qemu-aarch64'], host([], { arch: 'arm64' }))).toEqual(['qemu-system-arm'])
})

describe('installAdvice', () => {
  const debian = 'apt-get install -y --no-install-recommends qemu-system-x86 busybox-static'

  test('Debian with sudo', () => {
    expect(installAdvice(['qemu', 'busybox'], host(['apt-get', 'sudo']))).toBe(
      `Run this, then try again:\n\n  sudo apt-get update && sudo ${debian}`,
    )
  })

  test('Debian without sudo', () => {
    expect(installAdvice(['qemu', 'busybox'], host(['apt-get']))).toBe(
      `Run this as root, then try again:\n\n  apt-get update && ${debian}`,
    )
  })

  test('macOS', () => {
    expect(installAdvice(['qemu', 'mtools'], host(['sudo'], { platform: 'darwin' }))).toBe(
      'Run this, then try again:\n\n  brew install qemu mtools',
    )
  })

  test('Fedora, Arch and Alpine', () => {
    expect(installAdvice(['qemu'], host(['dnf', 'sudo']))).toMatch(/ {2}sudo dnf install qemu-system-x86-core$/)
    expect(installAdvice(['qemu'], host(['pacman', 'sudo']))).toMatch(/ {2}sudo pacman -S qemu-base$/)
    expect(installAdvice(['busybox'], host(['apk'], { isRoot: true }))).toMatch(/ {2}apk add busybox-static$/)
  })

  test('lists the tools on other systems', () => {
    const advice = installAdvice(all, host([], { arch: 'riscv64' }))
    for (const name of ['qemu-system-riscv64', 'busybox', 'mcopy', 'fsck.fat']) expect(advice).toContain(name)
  })
})
