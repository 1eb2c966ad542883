/** What a user asks of a machine, and the defaults, each declared once. `resolveOptions` makes a MachineSpec of it. */
import type { Writable } from 'node:stream'
import type { GuestFailureOptions } from '../console/incident/guest-failure-options.ts'
import type { LogFile } from '../console/log/log-file.ts'
import type { Pattern } from '../console/match/pattern.ts'
import type { Device } from '../devices/device.ts'
import type { AcceleratorName } from '../host/environment.ts'
import type { Architecture } from '../options/architecture.ts'
import type { MachineObserver } from './machine-observer.ts'

/** How long an `expect` waits when nothing else is said, milliseconds. */
export const DEFAULT_TIMEOUT = 7_000

/** Options of a machine. All are optional but a boot source: `kernel`, `firmware`, or a bootable device. */
export interface MachineOptions {
  /** Name in errors, logs and QEMU's process title. Letters, digits, `.`, `_`, `-`. @default 'vm' */
  readonly name?: string | undefined
  /** Guest architecture by QEMU's name. @default the host's */
  readonly arch?: Architecture | undefined
  /**
   * QEMU binary, or the binary and its first arguments. A string is one path, never split.
   * @default COLDBOOT_QEMU, else UROOT_QEMU, else `qemu-system-<arch>` on PATH
   */
  readonly qemu?: string | readonly string[] | undefined
  /** QEMU machine type with its properties, as `q35` or `virt,gic-version=3`. @default the usual one of `arch` */
  readonly machine?: string | undefined
  /** QEMU CPU model. @default `host` with hardware acceleration, else the quickest to emulate of `arch` */
  readonly cpu?: string | undefined
  /** Number of virtual CPUs. @default 1 */
  readonly cpus?: number | undefined
  /** Guest memory with its unit, `M` or `G` (powers of 1024). @default '256M' */
  readonly memory?: string | undefined
  /** Accelerator to use without probing. @default COLDBOOT_ACCEL, else the fastest that works */
  readonly accelerator?: AcceleratorName | undefined
  /** Path of a kernel image. */
  readonly kernel?: string | undefined
  /** Path of an initramfs; needs `kernel`. */
  readonly initramfs?: string | undefined
  /** Kernel command line, as one string or as words; needs `kernel`. @default '' */
  readonly kernelArgs?: string | readonly string[] | undefined
  /**
   * Firmware: a path, the name of a file in QEMU's own data folder, as `qboot.rom`, or `uefi` for the distribution's UEFI
   * firmware. @default QEMU's own
   */
  readonly firmware?: string | undefined
  /** Devices, in the order in which the guest finds them. @default [] */
  readonly devices?: readonly Device[] | undefined
  /** Where the console's bytes go besides the log. Never closed by the machine. @default [] */
  readonly serialOutput?: Writable | readonly Writable[] | undefined
  /**
   * The console log, all bytes as they came: its path, or its path with what is kept of it.
   * @default a file that goes away with the machine
   */
  readonly logFile?: string | LogFile | undefined
  /** Told of what is done with the machine and what happens to it. @default nobody */
  readonly observer?: MachineObserver | undefined
  /** How long an `expect` waits, milliseconds. @default 7000 */
  readonly timeout?: number | undefined
  /** How long `ready()` waits, milliseconds. @default 60000 */
  readonly bootTimeout?: number | undefined
  /** Every timeout is multiplied by it, once. @default COLDBOOT_TIMEOUT_MULTIPLIER, else 1 */
  readonly timeoutMultiplier?: number | undefined
  /** What the console prints when the machine is ready for a test. @default none: there is nothing to wait for */
  readonly ready?: Pattern | undefined
  /**
   * What may happen to the guest without failing its test. A panic, an oops, a hang, a kill for want of memory, an emergency
   * shell reject every wait at once, unless it is `'allow'`ed by name; `custom` adds patterns that do the same.
   *
   * @default {}
   */
  readonly failOn?: GuestFailureOptions | undefined
  /** Whether a reboot of the guest starts it again; else it ends the machine. @default false */
  readonly allowReboot?: boolean | undefined
  /** QEMU's seccomp sandbox, Linux only. Off only for a QEMU built without it. @default true */
  readonly sandbox?: boolean | undefined
  /**
   * Whether the machine has a port for the agent of `@coldboot/guest`, and its guest the agent: `run` and its kin then use
   * it. Set by `linuxGuest`. @default false
   */
  readonly agent?: boolean | undefined
  /** Whether the machine has a port for QEMU's guest agent, as distributions package it. @default false */
  readonly guestAgent?: boolean | undefined
  /**
   * Called by `VM.debug` with the session, which it runs: for who must hold a clock or clear the screen meanwhile.
   * @default the session is run
   */
  readonly aroundDebug?: ((session: () => Promise<void>) => Promise<void>) | undefined
  /** Ends every wait when it aborts, with its reason as the cause. @default none */
  readonly signal?: AbortSignal | undefined
}

/** The defaults that are plain values; the others depend on the host and are in `resolveOptions`. */
export const DEFAULTS: {
  readonly name: string
  readonly cpus: number
  readonly memory: string
  readonly kernelArgs: string
  readonly timeout: number
  readonly bootTimeout: number
  readonly allowReboot: boolean
  readonly sandbox: boolean
  readonly agent: boolean
  readonly guestAgent: boolean
} = Object.freeze({
  name: 'vm',
  cpus: 1,
  memory: '256M',
  kernelArgs: '',
  timeout: DEFAULT_TIMEOUT,
  bootTimeout: 60_000,
  allowReboot: false,
  sandbox: true,
  agent: false,
  guestAgent: false,
})
