/** The interface of devices. Users can write their own devices with it. */
import type { Duplex } from 'node:stream'
import type { GuestFailureOptions } from '../console/incident/guest-failure-options.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import type { AcceleratorName } from '../host/environment.ts'
import type { Architecture } from '../options/architecture.ts'

/**
 * Allocates ids for the arguments of a device. Each build of a command line uses a new allocator, so all builds get the
 * same ids.
 */
export interface IdAllocator {
  /** Returns a new id, unique in the machine: `id('nic')` → `nic0`, then `nic1`. */
  id(prefix: string): string
}

/** Properties of the machine, and allocators, for a device. */
export interface DeviceContext extends IdAllocator {
  readonly arch: Architecture
  readonly accelerator: AcceleratorName
  /** QEMU machine type, such as `pc` or `virt,highmem=off`. */
  readonly machine: string
  /** Words of the kernel command line, without the words that devices add. */
  readonly kernelArgs: readonly string[]
  /** Private directory of the machine, mode 0700. Exists while the machine runs. */
  readonly directory: string
  /** Position among the devices of the machine, for file names in the directory. */
  readonly position: number
  /**
   * Returns the number of a new inherited descriptor: a stream socket whose other end is passed to {@link
   * Device.attach}, in the order of the calls. Undefined in a command line for a shell, which has no inherited
   * descriptors; the device then returns the closest arguments that work without one.
   */
  inherit(): number | undefined
  /**
   * Whether the command line is for a shell, without inherited descriptors and without the files of
   * {@link Device.prepare}.
   */
  readonly standalone: boolean
  /**
   * Whether the machine is saved or restored, and the agent of its guest runs {@link Device.attachAfterRestore}. The
   * device then omits words for the same purpose from the kernel command line.
   */
  readonly attachesAfterRestore: boolean
  /** Whether the machine has no kernel and no bootable device, so that the firmware tries its network cards. */
  readonly bootsFromNetwork: boolean
}

/** Properties of the machine, for {@link Device.validate}. */
export interface ValidateContext {
  readonly arch: Architecture
  readonly accelerator: AcceleratorName
  /** QEMU machine type, such as `pc` or `virt,highmem=off`. */
  readonly machine: string
  /** The option `firmware`, if it is a path or a name. */
  readonly firmware: string | undefined
  /** Absolute path of the kernel. */
  readonly kernel: string | undefined
  /** All devices of the machine. */
  readonly devices: readonly Device[]
}

/** Parameters of {@link Device.helper}. */
export interface HelperContext {
  /** Private directory of the machine, mode 0700. */
  readonly directory: string
  /** Same as in {@link DeviceContext}. */
  readonly position: number
  /** Descriptor in the helper: a stream socket, connected to the first descriptor of `inherit()` of the device. */
  readonly fd: number
}

/** Command of a helper process that implements a device. */
export interface HelperCommand {
  /** Program and arguments. The start fails with `DEVICE_UNAVAILABLE` if PATH has no such program. */
  readonly argv: readonly string[]
  /** Working directory, created with mode 0700 if it does not exist. @default that of this process */
  readonly cwd?: string | undefined
  /** Hint for the error about a missing program. @default none */
  readonly hint?: string | undefined
}

/** Parameters of {@link Device.prepare}. */
export interface PrepareContext {
  readonly arch: Architecture
  /** Same as in {@link DeviceContext}. */
  readonly machine: string
  /** Private directory of the machine, mode 0700. */
  readonly directory: string
  /** Same as in {@link DeviceContext}. */
  readonly position: number
  /** Aborts when the machine is closed during the preparation. */
  readonly signal: AbortSignal
}

/** A QMP event, such as `WATCHDOG` with `{ action: 'reset' }` (qapi/*.json). */
export interface QmpEvent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
  /** Time at which QEMU sent it, milliseconds since 1970. */
  readonly timestamp: number
}

/** The part of a QMP client that devices use. */
export interface QmpClient {
  /**
   * Runs a QMP command and returns its result.
   * @throws MachineError `QMP_FAILED` with QEMU's reason, `MACHINE_EXITED` when the machine has ended
   */
  execute(command: string, commandArguments?: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Calls `listener` for each event until the returned object is disposed. */
  onEvent(listener: (event: QmpEvent) => void): Disposable
}

/** A port on 127.0.0.1 of the host that is forwarded to a port of the guest. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp'
  /** Port in the guest. */
  readonly guest: number
  /** Port on the host. */
  readonly host: number
}

/**
 * The part of a device that is attached after a restore and may differ between machines of one template. The scripts
 * are for a POSIX shell. The agent of the guest runs them before the start resolves. If a script exits with another
 * status than 0, the start fails, with the output as the reason.
 */
export interface RestoreAttachment {
  /** Host paths in the arguments of the device that the saved guest does not see. @default none */
  readonly paths?: readonly string[]
  /** Script that runs after each restore. @default none */
  attach?(): string
  /** Script that reverts {@link attach} before a save. */
  detach?(): string
  /**
   * Script that makes the guest detect the device again if its content differs from that of the saved machine. The
   * content is compared by {@link Device.contentIdentity}, or by the files at {@link paths}. {@link Device.prepare} was
   * called before. @default none: the files of {@link Device.prepare} are copied from the saved machine
   */
  refresh?(context: { readonly position: number }): string
}

/** Parameters of {@link Device.attach}. */
export interface AttachContext {
  /** Identity of the machine: the public VM object. Use it only to distinguish machines. */
  readonly vm: object
  /** Name of the machine. */
  readonly machineName: string
  /** Private directory of the machine, mode 0700. */
  readonly directory: string
  /** Other ends of the descriptors of `inherit()`, in the order of its calls. */
  readonly streams: readonly Duplex[]
  /** Ids returned by `id()` for the QEMU arguments, in the order of its calls, for QMP commands. */
  readonly ids: readonly string[]
  readonly qmp: QmpClient
  /** Resolves when the machine has ended. */
  readonly exited: Promise<void>
  /** Passes an event to the observer of the machine; undefined without one. */
  readonly onEvent: ((event: MachineEvent) => void) | undefined
  /** Default timeout of waits, milliseconds, after the multiplier. */
  readonly timeout: number
  /** Factor of all other times that a user sets. */
  readonly timeoutMultiplier: number
  /** The option `failOn` of the machine, for additional consoles. @default all built-in failures */
  readonly failOn?: GuestFailureOptions | undefined
  /** Adds a forwarded port to `vm.portForwards`. */
  publishPort(forward: PortForward): void
}

/** Plain JSON data. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

/** A device as plain data, from which another process creates the same device. */
export interface PortableDevice {
  /** Name of the function that creates it, such as `channel`. */
  readonly kind: string
  /** Arguments of the function, with absolute host paths. */
  readonly options: Readonly<Record<string, PlainValue>>
}

/**
 * A device of a machine. All members except `name` and `qemuArgs` are optional.
 *
 * @example A text that the guest reads below `/sys/firmware/qemu_fw_cfg/by_name/opt/example.com`:
 * ```ts
 * function note(name: string, text: string): Device {
 *   return {
 *     name: 'note',
 *     claims: [`note:${name}`],
 *     qemuArgs: () => ['-fw_cfg', optionString(undefined, { name: `opt/example.com/${name}`, string: text })],
 *   }
 * }
 * ```
 */
export interface Device {
  /** Name in errors, such as `virtioRandom`. */
  readonly name: string
  /**
   * Names that must be unique in a machine, such as `tag:tmpdir` or `mac:52:54:00:00:00:01`. Two devices with the same
   * claim are rejected.
   */
  readonly claims?: readonly string[]
  /**
   * Whether a machine without kernel and firmware can boot from the device. `'fallback'`: only if no other device is
   * bootable, for example a network card.
   * @default false
   */
  readonly bootable?: boolean | 'fallback'
  /**
   * Returns devices that replace this one, depending on the architecture. The other members are then not used.
   */
  expand?(arch: Architecture): readonly Device[]
  /** Checks the device against the options of the machine. @throws OptionError */
  validate?(context: ValidateContext): void
  /**
   * Identity of content that the guest sees and that is not in the arguments, such as the files of a shared directory.
   * Machines with the same arguments and identities share a template. @default none
   */
  contentIdentity?(): Promise<string> | string
  /** Whether a restored guest keeps its own time, instead of getting the time of the host. @default false */
  readonly keepsTime?: boolean
  /** Part that may differ between machines of one template, for guests with an agent. @default none */
  readonly attachAfterRestore?: RestoreAttachment | undefined
  /** The device as plain data. Without it, a machine with the device cannot be saved to a file. @default none */
  readonly portable?: PortableDevice | undefined
  /**
   * Why a running machine with the device cannot be saved, as the end of a sentence. Does not affect templates.
   * @default none: the machine can be saved
   */
  readonly unsavable?: string | undefined
  /**
   * Why a machine with the device boots each time and has no template, as the end of a sentence.
   * @default none: QEMU decides whether it can be saved
   */
  readonly untemplatable?: string | undefined
  /**
   * Called before a machine is restored, instead of {@link prepare}.
   * @throws OptionError `DEVICE_CONFLICT` when a running machine uses a resource that cannot be shared
   */
  requireFree?(): void
  /** Creates the files of the device in the private directory, before QEMU starts. */
  prepare?(context: PrepareContext): Promise<void>
  /**
   * Returns the command of a helper process that implements the device. The helper is started before QEMU, after
   * {@link prepare}, and ends with QEMU and with this process. The device must inherit one descriptor, for which
   * {@link attach} gets no stream. @default none
   */
  helper?(context: HelperContext): HelperCommand
  /** Arguments for QEMU. Pure: the same context gives the same arguments. */
  qemuArgs(context: DeviceContext): readonly string[]
  /** Words for the kernel command line. Pure. */
  kernelArgs?(context: DeviceContext): readonly string[]
  /** Called after the start of QEMU, before any output of the guest could be lost. */
  attach?(context: AttachContext): void | Promise<void>
}
