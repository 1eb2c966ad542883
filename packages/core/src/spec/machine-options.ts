/** Options of a machine and their defaults. `resolveOptions` converts them to a MachineSpec. */
import type { Writable } from 'node:stream'
import type { GuestFailureOptions } from '../console/incident/guest-failure-options.ts'
import type { LogFile } from '../console/log/log-file.ts'
import type { Pattern } from '../console/match/pattern.ts'
import type { TerminalOptions } from '../console/terminal/terminal.ts'
import type { Device } from '../devices/device.ts'
import type { AcceleratorName } from '../host/environment.ts'
import type { Architecture } from '../options/architecture.ts'
import type { MemorySize } from '../options/checked-options.ts'
import type { MachineObserver } from './machine-observer.ts'
import type { VmcoreFile } from './vmcore-file.ts'

/** Default timeout of `expect`, milliseconds. */
export const DEFAULT_TIMEOUT = 7_000

/** Options of a machine. All are optional except a boot source: `kernel`, `firmware`, or a device to boot from. */
export interface MachineOptions {
  /** Name in errors, logs and QEMU's process title. Letters, digits, `.`, `_`, `-`. @default 'vm' */
  readonly name?: string | undefined
  /** Guest architecture, by QEMU's name. @default that of the host */
  readonly arch?: Architecture | undefined
  /**
   * QEMU binary, or a list of the binary and its first arguments. A string is a single path and is never split.
   * @default COLDBOOT_QEMU, else UROOT_QEMU, else the npm package of QEMU, else `qemu-system-<arch>` on PATH
   */
  readonly qemu?: string | readonly string[] | undefined
  /** QEMU machine type with its properties, such as `q35` or `virt,gic-version=3`. @default the usual one of `arch` */
  readonly machine?: string | undefined
  /** QEMU CPU model. @default `host` with hardware acceleration, otherwise the fastest to emulate */
  readonly cpu?: string | undefined
  /** Number of virtual CPUs. @default 1 */
  readonly cpus?: number | undefined
  /** Guest memory with its unit, `M` or `G` (powers of 1024). @default '256M' */
  readonly memory?: MemorySize | undefined
  /** Accelerator, used without probing. @default COLDBOOT_ACCEL, else the fastest that works */
  readonly accelerator?: AcceleratorName | undefined
  /** Path of a kernel image. */
  readonly kernel?: string | undefined
  /** Path of an initramfs; needs `kernel`. */
  readonly initramfs?: string | undefined
  /** Kernel command line, as one string or as words; needs `kernel`. @default '' */
  readonly kernelArgs?: string | readonly string[] | undefined
  /**
   * Firmware: a path, the name of a file in the data folder of QEMU, such as `qboot.rom`, or `uefi` for the UEFI
   * firmware in the npm package of QEMU, else that of the distribution. @default the default firmware of QEMU
   */
  readonly firmware?: string | undefined
  /**
   * Whether the firmware of a PC, and programs that print through it, such as GRUB, syslinux and iPXE, also print on
   * the console and read keys from it. @default true, except with a Linux `kernel`
   */
  readonly firmwareOnConsole?: boolean | undefined
  /** Devices, in the order in which the guest finds them. @default [] */
  readonly devices?: readonly Device[] | undefined
  /** Streams that receive a copy of the console output. The machine does not close them. @default [] */
  readonly serialOutput?: Writable | readonly Writable[] | undefined
  /**
   * Console log with all bytes of the output: a path, or an object with `path`, `maxBytes` and `filter`.
   * @default a file that is removed with the machine
   */
  readonly logFile?: string | LogFile | undefined
  /**
   * Whether queries of programs to their terminal are answered. Without answers, some programs, such as installers,
   * wait or draw wrongly. `columns` and `lines` are the size of `vm.terminal`. @default false
   */
  readonly terminal?: boolean | TerminalOptions | undefined
  /** Receives lifecycle, console and QMP events. @default none */
  readonly observer?: MachineObserver | undefined
  /** Timeout of `expect`, milliseconds. @default 7000 */
  readonly timeout?: number | undefined
  /** Timeout of `ready()`, milliseconds. @default 60000 */
  readonly bootTimeout?: number | undefined
  /** Factor of every timeout. @default COLDBOOT_TIMEOUT_MULTIPLIER, else 1 */
  readonly timeoutMultiplier?: number | undefined
  /** Pattern that the console prints when the machine is ready for a test. @default none */
  readonly ready?: Pattern | undefined
  /**
   * Guest failures that reject every pending wait: panics, oopses, hangs, out-of-memory kills, emergency shells and
   * others. `'allow'` disables one by name; `custom` adds patterns.
   *
   * @default {}
   */
  readonly failOn?: GuestFailureOptions | undefined
  /** Whether the guest may reboot. If false, a reboot ends the machine. @default false */
  readonly allowReboot?: boolean | undefined
  /** QEMU's seccomp sandbox, on Linux only. Disable it only for a QEMU that is built without it. @default true */
  readonly sandbox?: boolean | undefined
  /**
   * Whether the guest has the agent of `@coldboot/guest`, so that the machine needs a port for it. `run` and the file
   * methods then use it. Set by `linuxGuest`. @default false
   */
  readonly agent?: boolean | undefined
  /**
   * Whether the guest has QEMU's guest agent, as packaged by distributions, so that the machine needs a port for it.
   *
   * @default false
   */
  readonly guestAgent?: boolean | undefined
  /**
   * Whether gdb can connect to the guest, with the command `vm.gdb`. The guest cannot detect this option. Its CPUs stop
   * when a debugger connects. @default false
   */
  readonly gdb?: boolean | undefined
  /**
   * File for a dump of the guest memory when the kernel panics, for crash or drgn: a path, or an object with `path` and
   * `maxBytes`. The machine ends after the dump. With `allowReboot`, a `pvpanic()` device is needed. @default none
   */
  readonly vmcore?: string | VmcoreFile | undefined
  /**
   * Called by `VM.debug` with a function that it must call to run the session, for example to pause the timeout of the
   * test during the session. @default runs the session
   */
  readonly aroundDebug?: ((session: () => Promise<void>) => Promise<void>) | undefined
  /** Rejects every wait when it aborts, with its reason as the cause. @default none */
  readonly signal?: AbortSignal | undefined
}

/** Constant defaults. Defaults that depend on the host are in `resolveOptions`. */
export const DEFAULTS: {
  readonly name: string
  readonly cpus: number
  readonly memory: MemorySize
  readonly kernelArgs: string
  readonly timeout: number
  readonly bootTimeout: number
  readonly allowReboot: boolean
  readonly sandbox: boolean
  readonly agent: boolean
  readonly guestAgent: boolean
  readonly gdb: boolean
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
  gdb: false,
})
