/**
 * What a device is to the machine. Everything on a command line beyond the machine itself is a device, and users write
 * their own by this same interface.
 */
import type { Duplex } from 'node:stream'
import type { GuestFailureOptions } from '../console/incident/guest-failure-options.ts'
import type { AcceleratorName } from '../host/environment.ts'
import type { Architecture } from '../options/architecture.ts'

/**
 * What a device may ask while it contributes its arguments. Each build of a command line starts a new one, so that
 * asking twice gives the same answer.
 */
export interface IdAllocator {
  /** A new id, unique in this machine: `id('nic')` → `nic0`, then `nic1`. */
  id(prefix: string): string
}

/** Facts of the machine and the allocators, given to a device. */
export interface DeviceContext extends IdAllocator {
  readonly arch: Architecture
  readonly accelerator: AcceleratorName
  /** QEMU's machine type, as `pc` or `virt,highmem=off`. */
  readonly machine: string
  /** Words of the machine's own kernel command line, those of the devices left out. */
  readonly kernelArgs: readonly string[]
  /** The machine's private directory, mode 0700: exists when the machine starts, gone after it. */
  readonly directory: string
  /** Position of the device among the machine's devices: for names of files in the directory. */
  readonly position: number
  /**
   * The number of a new inherited descriptor: a stream socket whose other end the device gets in
   * {@link Device.attach}, in the order asked. Undefined in a command line made for a person's shell, which inherits
   * none; the device then contributes the nearest thing that works alone.
   */
  inherit(): number | undefined
  /**
   * Whether the command line is for a person's shell: no descriptors are inherited, and nothing that
   * {@link Device.prepare} would make is there.
   */
  readonly standalone: boolean
  /**
   * Whether the machine is saved, or comes from a save, and its guest is told by its agent what to do with
   * {@link Device.attachAfterRestore}: a word on the kernel's command line that asks for the same is left out.
   */
  readonly attachesAfterRestore: boolean
}

/** Facts of the machine, for a device's {@link Device.validate}. */
export interface ValidateContext {
  readonly arch: Architecture
  /** QEMU's machine type, as `pc` or `virt,highmem=off`. */
  readonly machine: string
  /** The machine's `firmware`, where one was asked for by path or name. */
  readonly firmware: string | undefined
}

/** Where a device's {@link Device.prepare} may write. */
export interface PrepareContext {
  readonly arch: Architecture
  /** As in {@link DeviceContext}. */
  readonly machine: string
  /** The machine's private directory, mode 0700. */
  readonly directory: string
  /** As in {@link DeviceContext}. */
  readonly position: number
  /** Aborted when the machine is closed while it is prepared. */
  readonly signal: AbortSignal
}

/** An event on QEMU's control channel, as `WATCHDOG` with `{ action: 'reset' }` (qapi/*.json). */
export interface QmpEvent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
  /** Time at which QEMU sent it, milliseconds since 1970. */
  readonly timestamp: number
}

/** QEMU's control channel, as far as a device needs it. */
export interface QmpClient {
  /**
   * Runs a QMP command and returns what it returned.
   * @throws MachineError `QMP_FAILED` with QEMU's reason, `MACHINE_EXITED` when the machine is gone
   */
  execute(command: string, commandArguments?: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Calls `listener` for each event until the returned object is disposed. */
  onEvent(listener: (event: QmpEvent) => void): Disposable
}

/** A port of the host's 127.0.0.1 that leads to a port of the guest. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp'
  /** Port in the guest. */
  readonly guest: number
  /** Port on the host. */
  readonly host: number
}

/**
 * What of a device the guest gets after it was restored from a save, so that machines of one template may differ in it.
 * The scripts are of a POSIX shell, run by the guest's agent before anybody else has the machine; a status other than 0
 * says, with the output, that it cannot be had.
 */
export interface RestoreAttachment {
  /** Paths of the host in the device's arguments that the saved guest knows nothing of. @default none */
  readonly paths?: readonly string[]
  /** What the guest cannot keep through a save, done after each restore. @default nothing */
  attach?(): string
  /** Undoes {@link attach} before a save. */
  detach?(): string
  /**
   * Has the guest look anew, where the content (by {@link Device.contentIdentity}, without one the files at {@link
   * paths}) is another than the saved machine's; {@link Device.prepare} was then called for this machine.
   * @default what the saved machine's {@link Device.prepare} made is copied
   */
  refresh?(context: { readonly position: number }): string
}

/** What a device gets when its machine runs. */
export interface AttachContext {
  /** The machine's identity: the object its user holds. Only for telling machines apart. */
  readonly vm: object
  /** The machine's name. */
  readonly machineName: string
  /** The machine's private directory, mode 0700. */
  readonly directory: string
  /** Other ends of the descriptors asked for with `inherit()`, in that order. */
  readonly streams: readonly Duplex[]
  /** Ids the device was given by `id()` for its QEMU arguments, in that order: to name its parts on the monitor. */
  readonly ids: readonly string[]
  readonly qmp: QmpClient
  /** Settles when the machine has ended. */
  readonly exited: Promise<void>
  /** How long a wait takes by default, milliseconds, the multiplier applied. */
  readonly timeout: number
  /** Every other time that a user gives is multiplied by it. */
  readonly timeoutMultiplier: number
  /** What the machine's option `failOn` says, for further consoles. @default everything is watched for */
  readonly failOn?: GuestFailureOptions | undefined
  /** Tells the machine of a port of the host that leads into the guest, for the machine to report. */
  publishPort(forward: PortForward): void
}

/** Plain data, as JSON has it. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

/** A device as plain data, from which another process makes the same one. */
export interface PortableDevice {
  /** Name of the function that makes it: `channel`. */
  readonly kind: string
  /** What that function is called with, paths of the host made absolute. */
  readonly options: Readonly<Record<string, PlainValue>>
}

/**
 * A device of a machine. All but `name` and `qemuArgs` is optional.
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
  /** What it is called in errors: `virtioRandom`. */
  readonly name: string
  /**
   * What only one device of a machine may have, as `tag:tmpdir` or `mac:52:54:00:00:00:01`. Two devices that claim the
   * same are refused, both named.
   */
  readonly claims?: readonly string[]
  /** Whether a machine without kernel and firmware can boot from it. @default false */
  readonly bootable?: boolean
  /**
   * The devices it stands for on an architecture. Given, they take its place, and nothing else of it is asked.
   */
  expand?(arch: Architecture): readonly Device[]
  /** Checks that need the machine's facts. @throws OptionError */
  validate?(context: ValidateContext): void
  /**
   * What the guest can see of it that is not in its arguments, as the content of a shared directory: two machines with
   * the same arguments and identities are the same to the guest. @default nothing
   */
  contentIdentity?(): Promise<string> | string
  /** Given: what of it may differ between machines of one template, in guests with an agent. */
  readonly attachAfterRestore?: RestoreAttachment | undefined
  /** The device as plain data; without it, a machine that has it cannot be saved into a file. @default none */
  readonly portable?: PortableDevice | undefined
  /**
   * Why a running machine with it cannot be saved, as the end of a sentence. Templates are not concerned.
   * @default it can
   */
  readonly unsavable?: string | undefined
  /**
   * Called before a machine is started from a save, instead of {@link prepare}.
   * @throws OptionError `DEVICE_CONFLICT` when a machine that runs has what only one can have
   */
  requireFree?(): void
  /** Makes what the device needs in the machine's private directory, before QEMU starts. */
  prepare?(context: PrepareContext): Promise<void>
  /** Arguments for QEMU, complete. Pure: the same context gives the same arguments. */
  qemuArgs(context: DeviceContext): readonly string[]
  /** Words for the kernel's command line. Pure. */
  kernelArgs?(context: DeviceContext): readonly string[]
  /** Called when QEMU runs and before the guest can have said anything that would be lost. */
  attach?(context: AttachContext): void | Promise<void>
}
