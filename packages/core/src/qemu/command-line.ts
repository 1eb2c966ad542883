/**
 * Builds the command line of a MachineSpec. Pure: the same spec and paths give the same arguments, without access to
 * the host.
 *
 * A machine can be connected in two ways. `inherited`, which this project uses, connects console, QMP and NICs to
 * inherited descriptors. `standalone`, for a shell, connects the console to the terminal.
 */
import { quote } from 'shlex'
import type { DeviceContext } from '../devices/device.ts'
import { AGENT_PORT, findChannel } from '../devices/helpers/guest-ports.ts'
import { optionString } from '../devices/helpers/option-string.ts'
import { OptionError } from '../errors.ts'
import { ARCHITECTURES } from '../options/architecture.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'

/**
 * Descriptor of the console in the child. 0 to 2 are standard streams, 3 belongs to the guard; devices use later ones.
 */
export const CONSOLE_FD = 4
export const QMP_FD = 5
/** Descriptor of the saved state, for a restored machine, or of the memory, for a machine that becomes a template. */
export const STATE_FD = 6
const FIRST_DEVICE_FD = 7

/**
 * Guest memory other than QEMU's default. The machine may then have a generation id, unless `block` is set, so that a
 * guest can detect that it was copied: see {@link generationId}.
 */
export interface GuestMemory {
  /** File with the memory. @default none: anonymous memory of QEMU */
  readonly path?: string | undefined
  /** Descriptor of the file in this process, instead of `path`. QEMU inherits it as {@link STATE_FD}. */
  readonly fd?: number | undefined
  /** Whether writes of the guest go to the file. If false, each machine has a private copy-on-write mapping. */
  readonly shared: boolean
  /**
   * Name of the memory block of a machine that was saved with QEMU's default memory. Such a machine has no generation
   * id.
   * @default a name of this project
   */
  readonly block?: string | undefined
}

/** Input of {@link buildCommandLine}. */
export interface CommandLineInput {
  readonly spec: MachineSpec
  /** QEMU binary and its first arguments. */
  readonly qemu: readonly string[]
  /** Private directory of the machine. */
  readonly directory: string
  readonly wiring: 'inherited' | 'standalone'
  /** Path of the named pipes of the console. @default none: a socket on {@link CONSOLE_FD} */
  readonly consolePipe?: string | undefined
  /** Whether QEMU supports its seccomp sandbox, on Linux only. */
  readonly sandbox: boolean
  /** Arguments for the saved state on {@link STATE_FD}. @default none: the machine boots */
  readonly incoming?: readonly string[] | undefined
  /** Guest memory. @default QEMU's default, without a generation id */
  readonly memory?: GuestMemory | undefined
}

/** Output of {@link buildCommandLine}: arguments, and descriptors and ids of each device. */
export interface CommandLine {
  readonly argv: readonly string[]
  /** Whether the user's arguments hold the guest before its first instruction (`-S`). */
  readonly holdsGuest: boolean
  /** Numbers of the inherited descriptors of each device, in the order of `spec.devices`. */
  readonly deviceDescriptors: readonly (readonly number[])[]
  /** Ids that each device has requested, in the order of the requests. */
  readonly deviceIds: readonly (readonly string[])[]
}

/**
 * @throws OptionError `INVALID_OPTION` when the kernel command line is too long for the architecture, or an argument
 * would detach QEMU from its parent
 */
export function buildCommandLine(input: CommandLineInput): CommandLine {
  const { spec } = input
  const deviceArgs: string[] = []
  const kernelArgs: string[] = []
  const deviceDescriptors: (readonly number[])[] = []
  const deviceIds: (readonly string[])[] = []
  const counters = new Map<string, number>()
  let nextFd = FIRST_DEVICE_FD
  spec.devices.forEach((device, position) => {
    // A device is called twice and must get the same ids, so each call starts with the same counters.
    const before = new Map(counters)
    const descriptors: number[] = []
    const ids: string[] = []
    const inherit = (): number | undefined => {
      if (input.wiring === 'standalone') return undefined
      descriptors.push(nextFd)
      return nextFd++
    }
    deviceArgs.push(...device.qemuArgs(contextOf(input, position, counters, inherit, ids)))
    const asked = [...descriptors]
    kernelArgs.push(...(device.kernelArgs?.(contextOf(input, position, before, () => asked.shift(), [])) ?? []))
    deviceDescriptors.push(Object.freeze(descriptors.slice()))
    deviceIds.push(Object.freeze(ids))
  })
  refuseDaemon([...input.qemu, ...deviceArgs])
  const argv = [
    ...input.qemu,
    ...machineArgs(input),
    ...consoleArgs(input),
    ...bootArgs(spec, [...spec.kernelArgs, ...kernelArgs]),
    ...deviceArgs,
  ]
  return {
    argv: Object.freeze(argv),
    holdsGuest: holdsGuest([...input.qemu, ...deviceArgs]),
    deviceDescriptors,
    deviceIds,
  }
}

function holdsGuest(args: readonly string[]): boolean {
  return args.some((argument) => /^--?S$/.test(argument))
}

// A daemon is not a child of this process, so it would outlive its test.
function refuseDaemon(args: readonly string[]): void {
  const found = args.find((argument) => /^--?daemonize$/.test(argument))
  if (found === undefined) return
  throw new OptionError('INVALID_OPTION', `\`${found}\` would detach QEMU from its test`, {
    hint: 'Remove it: the machine already runs in parallel to the test.',
  })
}

/** Quotes arguments as one line for a POSIX shell. */
export function quoteCommandLine(argv: readonly string[]): string {
  return argv.map((argument) => quote(argument)).join(' ')
}

function machineArgs({ spec, wiring, sandbox, memory, incoming }: CommandLineInput): string[] {
  const { firmwareOnSerial } = spec.firmwareOnConsole ? ARCHITECTURES[spec.arch] : {}
  const backend = memory === undefined ? [] : `memory-backend=${memory.block ?? MEMORY_ID}`
  return [
    // Excludes the default devices of QEMU and the configuration files of the host.
    '-nodefaults',
    '-no-user-config',
    ...['-display', 'none'],
    ...['-name', optionString(undefined, { guest: spec.name })],
    // Not escaped, because the machine type may have properties. The check of options allows only a single line.
    ...['-machine', [spec.machine, `accel=${spec.accelerator}`, firmwareOnSerial ?? [], backend].flat().join()],
    ...['-cpu', spec.cpu],
    ...['-m', `${spec.memoryMib}M`],
    ...(memory === undefined ? [] : ['-object', memoryBackend(spec, memory), ...generationId(spec, memory)]),
    ...['-smp', String(spec.cpus)],
    ...(spec.allowReboot ? [] : ['-no-reboot']),
    // Holds the guest until its devices are attached, even if its state was saved while it ran.
    ...(wiring === 'inherited' || incoming !== undefined ? ['-S'] : []),
    ...(incoming === undefined ? [] : ['-incoming', 'defer', ...incoming]),
    ...(sandbox && spec.sandbox
      ? [
          '-sandbox',
          optionString('on', { obsolete: 'deny', elevateprivileges: 'deny', spawn: 'deny', resourcecontrol: 'deny' }),
        ]
      : []),
  ]
}

const MEMORY_ID = 'memory'

// A changed generation id tells the guest that it is a copy, so that its kernel reseeds the random number generator
// (driver `vmgenid` of Linux). QEMU has the device only for PCs, and the firmware qboot hangs with it. If there is a channel for
// the agent, the agent adds entropy. The id would then cost a tenth of the CPU time of a start without hardware acceleration,
// because the kernel interprets ACPI code.
function generationId({ arch, firmware, devices }: MachineSpec, { block }: GuestMemory): string[] {
  const isSupported = ARCHITECTURES[arch].generationId === true && firmware !== 'qboot.rom'
  const isNeeded = findChannel(devices, AGENT_PORT) === undefined
  return isSupported && isNeeded && block === undefined ? ['-device', optionString('vmgenid', { guid: 'auto' })] : []
}

function memoryBackend(spec: MachineSpec, memory: GuestMemory): string {
  const { fd, path = fd === undefined ? undefined : `/proc/self/fd/${STATE_FD}`, shared, block = MEMORY_ID } = memory
  const size = { id: block, size: `${spec.memoryMib}M` }
  if (path === undefined) return optionString('memory-backend-ram', size)
  return optionString('memory-backend-file', { ...size, 'mem-path': path, share: shared })
}

function consoleArgs({ spec, wiring, consolePipe }: CommandLineInput): string[] {
  const frontend = ARCHITECTURES[spec.arch].consoleFrontend
  const serial = frontend ? ['-device', optionString(frontend, { chardev: 'console' })] : ['-serial', 'chardev:console']
  if (wiring === 'standalone') {
    // Ctrl-A X ends QEMU, Ctrl-A C opens its monitor, Ctrl-C goes to the guest.
    return [
      ...['-chardev', optionString('stdio', { id: 'console', mux: true, signal: false })],
      ...serial,
      ...['-mon', optionString(undefined, { chardev: 'console', mode: 'readline' })],
    ]
  }
  const stream =
    consolePipe === undefined
      ? optionString('socket', { id: 'console', fd: CONSOLE_FD })
      : optionString('pipe', { id: 'console', path: consolePipe })
  return [
    ...['-chardev', stream],
    ...serial,
    ...['-chardev', optionString('socket', { id: 'qmp', fd: QMP_FD })],
    ...['-mon', optionString(undefined, { chardev: 'qmp', mode: 'control' })],
  ]
}

function bootArgs(spec: MachineSpec, kernelArgs: readonly string[]): string[] {
  const args: string[] = []
  if (spec.firmware !== undefined) args.push('-bios', spec.firmware)
  if (spec.kernel === undefined) return args
  args.push('-kernel', spec.kernel)
  if (spec.initramfs !== undefined) args.push('-initrd', spec.initramfs)
  const line = kernelArgs.join(' ')
  if (line !== '') args.push('-append', checkedLength(spec, line))
  return args
}

function checkedLength(spec: MachineSpec, line: string): string {
  const limit = ARCHITECTURES[spec.arch].maxKernelArgsBytes
  const length = Buffer.byteLength(line)
  if (limit === undefined || length <= limit) return line
  throw new OptionError(
    'INVALID_OPTION',
    `\`kernelArgs\` is ${length} bytes long, but ${spec.arch} kernels accept at most ${limit}`,
  )
}

function contextOf(
  { spec, directory, wiring }: CommandLineInput,
  position: number,
  counters: Map<string, number>,
  inherit: () => number | undefined,
  given: string[],
): DeviceContext {
  return {
    arch: spec.arch,
    accelerator: spec.accelerator,
    machine: spec.machine,
    kernelArgs: spec.kernelArgs,
    directory,
    position,
    inherit,
    standalone: wiring === 'standalone',
    attachesAfterRestore: spec.attachesAfterRestore && wiring === 'inherited',
    bootsFromNetwork: spec.kernel === undefined && !spec.devices.some((device) => device.bootable === true),
    id(prefix) {
      const count = counters.get(prefix) ?? 0
      counters.set(prefix, count + 1)
      given.push(`${prefix}${count}`)
      return `${prefix}${count}`
    },
  }
}
