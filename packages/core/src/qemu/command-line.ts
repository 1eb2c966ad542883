/**
 * MachineSpec → argv. Pure: the same spec and paths give the same arguments, and nothing is looked up or made.
 *
 * Two wirings of one machine: `inherited`, as this project starts it, with console, QMP and NICs on descriptors the child
 * inherits; and `standalone`, for a person's shell, with the console on the terminal.
 */
import { quote } from 'shlex'
import type { DeviceContext } from '../devices/device.ts'
import { optionString } from '../devices/helpers/option-string.ts'
import { OptionError } from '../errors.ts'
import { ARCHITECTURES } from '../options/architecture.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'

/** Descriptors of the child, by number: 0 to 2 are the usual ones, 3 is the guard's, devices follow these two. */
export const CONSOLE_FD = 4
export const QMP_FD = 5
/** Of the saved state, in a machine that is restored. */
export const STATE_FD = 6
const FIRST_DEVICE_FD = 7

/** Guest memory that is not QEMU's default: such a guest has a generation id too, so that its copies can be told apart. */
export interface GuestMemory {
  /** A file that has it. @default none: it is QEMU's own */
  readonly path?: string | undefined
  /** Whether the file gets what the guest writes; else each machine has a private copy on write. */
  readonly shared: boolean
}

/** Where the pieces of a command line come from. */
export interface CommandLineInput {
  readonly spec: MachineSpec
  /** QEMU's binary and its first arguments. */
  readonly qemu: readonly string[]
  /** The machine's private directory. */
  readonly directory: string
  readonly wiring: 'inherited' | 'standalone'
  /** Whether QEMU can lock itself in: Linux only. */
  readonly sandbox: boolean
  /** Arguments that name the saved state on {@link STATE_FD}, which the machine waits for. @default it boots */
  readonly incoming?: readonly string[] | undefined
  /** @default QEMU's default, without a generation id */
  readonly memory?: GuestMemory | undefined
}

/** The arguments, and which descriptors and ids each device asked for. */
export interface CommandLine {
  readonly argv: readonly string[]
  /** Devices with the numbers of their inherited descriptors, in the order of `spec.devices`. */
  readonly deviceDescriptors: readonly (readonly number[])[]
  /** Devices with the ids they were given, in the order asked. */
  readonly deviceIds: readonly (readonly string[])[]
}

/**
 * @throws OptionError `INVALID_OPTION` when the kernel's command line is too long for the architecture, or QEMU is told to
 * leave its parent
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
    // Both calls of a device see the same ids: each starts from the counters as they were before the device.
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
  return { argv: Object.freeze(argv), deviceDescriptors, deviceIds }
}

// A daemon is no child of this process any more: nothing would end it with its test.
function refuseDaemon(args: readonly string[]): void {
  const found = args.find((argument) => /^--?daemonize$/.test(argument))
  if (found === undefined) return
  throw new OptionError('INVALID_OPTION', `\`${found}\` would detach QEMU from its test`, {
    hint: 'Remove it: the machine already runs in parallel to the test.',
  })
}

/** One line for a POSIX shell that starts the same arguments. */
export function quoteCommandLine(argv: readonly string[]): string {
  return argv.map((argument) => quote(argument)).join(' ')
}

function machineArgs({ spec, sandbox, memory, incoming }: CommandLineInput): string[] {
  // With a kernel, the firmware's words would only stand before those of the kernel.
  const { firmwareOnSerial } = spec.kernel === undefined ? ARCHITECTURES[spec.arch] : {}
  const backend = memory === undefined ? [] : `memory-backend=${MEMORY_ID}`
  return [
    // No machine but the one described: neither QEMU's default devices nor a configuration file of the host.
    '-nodefaults',
    '-no-user-config',
    ...['-display', 'none'],
    ...['-name', optionString(undefined, { guest: spec.name })],
    // The machine type may come with properties, so it is not escaped; it has passed its check as one line.
    ...['-machine', [spec.machine, `accel=${spec.accelerator}`, firmwareOnSerial ?? [], backend].flat().join()],
    ...['-cpu', spec.cpu],
    ...['-m', `${spec.memoryMib}M`],
    ...(memory === undefined ? [] : ['-object', memoryBackend(spec, memory), ...generationId(spec)]),
    ...['-smp', String(spec.cpus)],
    ...(spec.allowReboot ? [] : ['-no-reboot']),
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

// Tells the guest that it is a copy: its kernel then draws new randomness (Linux's driver is `vmgenid`). QEMU has the device
// for PCs, and qboot, the small firmware, hangs with it.
function generationId(spec: MachineSpec): string[] {
  const hasIt = ARCHITECTURES[spec.arch].generationId === true && spec.firmware !== 'qboot.rom'
  return hasIt ? ['-device', optionString('vmgenid', { guid: 'auto' })] : []
}

function memoryBackend(spec: MachineSpec, { path, shared }: GuestMemory): string {
  const size = { id: MEMORY_ID, size: `${spec.memoryMib}M` }
  if (path === undefined) return optionString('memory-backend-ram', size)
  return optionString('memory-backend-file', { ...size, 'mem-path': path, share: shared })
}

function consoleArgs({ spec, wiring }: CommandLineInput): string[] {
  const frontend = ARCHITECTURES[spec.arch].consoleFrontend
  const serial = frontend ? ['-device', optionString(frontend, { chardev: 'console' })] : ['-serial', 'chardev:console']
  if (wiring === 'standalone') {
    // Ctrl-A X ends QEMU, Ctrl-A C opens its monitor; Ctrl-C goes to the guest.
    return [
      ...['-chardev', optionString('stdio', { id: 'console', mux: true, signal: false })],
      ...serial,
      ...['-mon', optionString(undefined, { chardev: 'console', mode: 'readline' })],
    ]
  }
  return [
    ...['-chardev', optionString('socket', { id: 'console', fd: CONSOLE_FD })],
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
    id(prefix) {
      const count = counters.get(prefix) ?? 0
      counters.set(prefix, count + 1)
      given.push(`${prefix}${count}`)
      return `${prefix}${count}`
    },
  }
}
