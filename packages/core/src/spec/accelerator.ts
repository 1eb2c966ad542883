/** Chooses the accelerator, and explains the choice. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import type { AcceleratorName } from '../host/environment.ts'
import { type Architecture, hostArchitecture } from '../options/architecture.ts'

/** The accelerator and the reason for it. */
export interface AcceleratorChoice {
  readonly accelerator: AcceleratorName
  /** The reason, for errors and `doctor`. */
  readonly reason: string
  /** A problem that the user can fix; undefined if there is none. */
  readonly warning: string | undefined
}

/** The properties of a host that are checked. */
export interface Host {
  readonly platform: NodeJS.Platform
  readonly arch: Architecture | undefined
  kvmDevice(): 'missing' | 'no access' | 'usable'
  /** Text of /proc/cpuinfo; empty if it does not exist. */
  cpuInfo(): string
}

/** This host. */
export const thisHost: Host = {
  platform: process.platform,
  arch: hostArchitecture(),
  kvmDevice() {
    if (!existsSync('/dev/kvm')) return 'missing'
    try {
      accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
      return 'usable'
    } catch {
      return 'no access'
    }
  },
  cpuInfo() {
    try {
      return readFileSync('/proc/cpuinfo', 'utf8')
    } catch {
      return ''
    }
  },
}

/**
 * @param forced accelerator set by option or environment, which is used without probing
 */
export function chooseAccelerator(
  arch: Architecture,
  forced: AcceleratorName | undefined,
  host: Host = thisHost,
): AcceleratorChoice {
  if (forced) return choice(forced, 'it was set by option or environment')
  if (!runsNatively(arch, host.arch)) {
    return choice('tcg', `a ${arch} guest can only be emulated on this ${host.arch ?? 'unknown'} host`)
  }
  if (host.platform === 'darwin') return choice('hvf', 'macOS has the Hypervisor framework')
  if (host.platform !== 'linux') return choice('tcg', `${host.platform} has no supported accelerator`)
  return chooseOnLinux(host)
}

function chooseOnLinux(host: Host): AcceleratorChoice {
  const device = host.kvmDevice()
  if (device === 'missing') return choice('tcg', '/dev/kvm does not exist')
  // In nested virtualization, if the CPU lacks the flag, /dev/kvm may be opened, but never runs a virtual CPU. This was
  // seen on real hosts, so the flag is required. No warning is printed, because emulated hosts have no flag either.
  if (host.arch === 'x86_64' && !/^flags\s*:.*\b(?:vmx|svm)\b/m.test(host.cpuInfo())) {
    return choice('tcg', '/dev/kvm exists, but the CPU has neither the vmx nor the svm flag')
  }
  if (device === 'no access') {
    return choice(
      'tcg',
      '/dev/kvm may not be read and written by this user',
      'Machines run without hardware acceleration: this user may not open /dev/kvm. Add the user to the group "kvm" ' +
        '(sudo usermod -aG kvm "$USER", then log in again); in CI, a udev rule does it: KERNEL=="kvm", GROUP="kvm", MODE="0666".',
    )
  }
  return choice('kvm', '/dev/kvm is usable')
}

function runsNatively(guest: Architecture, host: Architecture | undefined): boolean {
  return guest === host || (guest === 'i386' && host === 'x86_64')
}

function choice(accelerator: AcceleratorName, reason: string, warning?: string): AcceleratorChoice {
  return { accelerator, reason, warning }
}
