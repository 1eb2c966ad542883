/** Chooses how the guest's instructions are executed, and can say why. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import type { AcceleratorName } from '../host/environment.ts'
import { type Architecture, hostArchitecture } from '../options/architecture.ts'

/** The accelerator and the reason for it. */
export interface AcceleratorChoice {
  readonly accelerator: AcceleratorName
  /** A sentence, for errors and `doctor`. */
  readonly reason: string
  /** What the user could mend; undefined when there is nothing. */
  readonly warning: string | undefined
}

/** What is looked at, so that a test can describe another host. */
export interface Host {
  readonly platform: NodeJS.Platform
  readonly arch: Architecture | undefined
  kvmDevice(): 'missing' | 'no access' | 'usable'
  /** Text of /proc/cpuinfo, empty where there is none. */
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
 * @param forced the accelerator asked for by option or environment; it is used without probing
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
  // Nested virtualisation can hand out a /dev/kvm that opens and then never runs a virtual CPU: without the flag on the
  // CPU there is nothing behind it. Seen on real machines, so the flag decides and nobody is warned. A Linux guest that
  // is itself translated shows no flag either.
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
