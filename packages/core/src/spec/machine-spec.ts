/**
 * Converts MachineOptions to a MachineSpec: complete, validated, frozen. Rejects bad input before anything is spawned.
 */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import type { GuestFailureOptions } from '../console/incident/guest-failure-options.ts'
import type { LogFile } from '../console/log/log-file.ts'
import type { Pattern } from '../console/match/pattern.ts'
import type { TerminalOptions } from '../console/terminal/terminal.ts'
import { channel } from '../devices/channel.ts'
import type { Device } from '../devices/device.ts'
import { AGENT_PORT, GUEST_AGENT_PORT } from '../devices/helpers/guest-ports.ts'
import { uefi } from '../devices/uefi.ts'
import { OptionError } from '../errors.ts'
import { type AcceleratorName, type Environment, readEnvironment } from '../host/environment.ts'
import { ARCHITECTURES, type Architecture, type ArchitectureTraits, hostArchitecture } from '../options/architecture.ts'
import { memoryMibOf } from '../options/checked-options.ts'
import { requireFile } from '../options/required-path.ts'
import { type AcceleratorChoice, chooseAccelerator } from './accelerator.ts'
import type { MachineObserver } from './machine-observer.ts'
import { DEFAULTS, type MachineOptions } from './machine-options.ts'
import { leastMemory } from './memory-need.ts'
import { checkOptions } from './option-checks.ts'
import { printsByFirmware } from './prints-by-firmware.ts'
import type { RestoreOverrides } from './restore-overrides.ts'
import type { VmcoreFile } from './vmcore-file.ts'

/** Complete specification of a machine. Paths are absolute, times are in milliseconds before the multiplier. */
export interface MachineSpec {
  readonly name: string
  readonly arch: Architecture
  /** QEMU binary and its first arguments; undefined to search for `qemu-system-<arch>`. */
  readonly qemu: readonly string[] | undefined
  readonly machine: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryMib: number
  readonly accelerator: AcceleratorName
  /** The reason for the accelerator. */
  readonly acceleratorReason: string
  /** A problem that the user can fix to get a faster accelerator. */
  readonly acceleratorWarning: string | undefined
  readonly kernel: string | undefined
  readonly initramfs: string | undefined
  readonly kernelArgs: readonly string[]
  readonly firmware: string | undefined
  /** Whether the firmware of a PC also prints on the console. */
  readonly firmwareOnConsole: boolean
  readonly devices: readonly Device[]
  readonly serialOutput: readonly Writable[]
  readonly logFile: LogFile | undefined
  readonly observer: MachineObserver | undefined
  /** The terminal on the console that answers queries; undefined if there is none. */
  readonly terminal: TerminalOptions | undefined
  readonly timeoutMs: number
  readonly bootTimeoutMs: number
  readonly timeoutMultiplier: number
  readonly ready: Pattern | undefined
  readonly failOn: GuestFailureOptions
  readonly allowReboot: boolean
  /** See {@link Device.attachAfterRestore}. True for machines that are saved or restored. */
  readonly attachesAfterRestore: boolean
  readonly sandbox: boolean
  /** Whether a debugger can connect. */
  readonly gdb: boolean
  readonly vmcore: VmcoreFile | undefined
  readonly aroundDebug: (session: () => Promise<void>) => Promise<void>
  readonly signal: AbortSignal | undefined
}

/**
 * @throws OptionError for invalid options, with the option and its value
 */
export function resolveOptions(options: MachineOptions, environment: Environment = readEnvironment()): MachineSpec {
  checkOptions(options)
  const arch = options.arch ?? supportedHost()
  const traits = ARCHITECTURES[arch]
  const choice = chooseAccelerator(arch, options.accelerator ?? environment.accelerator)
  const kernelArgs = wordsOf(options.kernelArgs ?? DEFAULTS.kernelArgs)
  const spec: MachineSpec = {
    name: options.name ?? DEFAULTS.name,
    arch,
    qemu: typeof options.qemu === 'string' ? [options.qemu] : (options.qemu ?? environment.qemu),
    machine: options.machine ?? machineOf(traits, options.kernel !== undefined),
    cpu: options.cpu ?? defaultCpu(arch, choice),
    cpus: options.cpus ?? DEFAULTS.cpus,
    memoryMib: memoryMibOf(options.memory ?? DEFAULTS.memory),
    accelerator: choice.accelerator,
    acceleratorReason: choice.reason,
    acceleratorWarning: choice.warning,
    kernel: requireFile('kernel', options.kernel),
    initramfs: requireFile('initramfs', options.initramfs),
    kernelArgs,
    firmware: isUefi(options) ? undefined : firmwareOf(options.firmware),
    firmwareOnConsole: options.firmwareOnConsole ?? printsByFirmware(options.kernel),
    devices: Object.freeze(expandDevices(allDevices(options), arch)),
    serialOutput: options.serialOutput === undefined ? [] : [options.serialOutput].flat(),
    logFile: logFileOf(options.logFile),
    observer: options.observer,
    terminal: terminalOf(options.terminal),
    timeoutMs: options.timeout ?? DEFAULTS.timeout,
    bootTimeoutMs: options.bootTimeout ?? DEFAULTS.bootTimeout,
    timeoutMultiplier: options.timeoutMultiplier ?? environment.timeoutMultiplier,
    ready: options.ready,
    failOn: failuresOf(choice.accelerator, options.failOn),
    allowReboot: options.allowReboot ?? DEFAULTS.allowReboot,
    attachesAfterRestore: false,
    sandbox: options.sandbox ?? DEFAULTS.sandbox,
    gdb: options.gdb ?? DEFAULTS.gdb,
    vmcore: vmcoreOf(options.vmcore),
    aroundDebug: options.aroundDebug ?? ((session) => session()),
    signal: options.signal,
  }
  checkSpec(spec)
  return Object.freeze(spec)
}

/** Allows stalls of emulated CPUs, because the kernel reports them on a busy host. */
function failuresOf(accelerator: AcceleratorName, failOn: GuestFailureOptions = {}): GuestFailureOptions {
  return accelerator === 'tcg' ? { ...failOn, rcuStall: failOn.rcuStall ?? 'allow' } : failOn
}

/** Returns the spec with overridden options, which the guest cannot see. The caller has checked them. */
export function withOverrides(spec: MachineSpec, overrides: RestoreOverrides): MachineSpec {
  const { serialOutput, logFile, failOn } = overrides
  return Object.freeze({
    ...spec,
    name: overrides.name ?? spec.name,
    serialOutput: serialOutput === undefined ? spec.serialOutput : [serialOutput].flat(),
    logFile: logFile === undefined ? spec.logFile : logFileOf(logFile),
    observer: overrides.observer ?? spec.observer,
    vmcore: overrides.vmcore === undefined ? spec.vmcore : vmcoreOf(overrides.vmcore),
    aroundDebug: overrides.aroundDebug ?? spec.aroundDebug,
    timeoutMs: overrides.timeout ?? spec.timeoutMs,
    bootTimeoutMs: overrides.bootTimeout ?? spec.bootTimeoutMs,
    timeoutMultiplier: overrides.timeoutMultiplier ?? spec.timeoutMultiplier,
    failOn: failOn === undefined ? spec.failOn : failuresOf(spec.accelerator, failOn),
    signal: overrides.signal ?? spec.signal,
  })
}

function terminalOf(terminal: MachineOptions['terminal']): TerminalOptions | undefined {
  return typeof terminal === 'object' ? terminal : terminal === true ? {} : undefined
}

/** Returns the spec without log, outputs and observer, for another owner of the same machine. */
export function withoutOutputs(spec: MachineSpec): MachineSpec {
  return Object.freeze({ ...spec, serialOutput: [], logFile: undefined, vmcore: undefined, observer: undefined })
}

function supportedHost(): Architecture {
  const host = hostArchitecture()
  if (host) return host
  throw new OptionError('INVALID_OPTION', `The architecture of this host, ${process.arch}, is not supported`, {
    hint: `Set \`arch\` to one of ${Object.keys(ARCHITECTURES).join(', ')}.`,
  })
}

function machineOf(traits: ArchitectureTraits, hasKernel: boolean): string {
  return hasKernel ? traits.machine : (traits.machineWithoutKernel ?? traits.machine)
}

function defaultCpu(arch: Architecture, choice: AcceleratorChoice): string {
  return choice.accelerator === 'tcg' ? ARCHITECTURES[arch].cpu : 'host'
}

function logFileOf(logFile: MachineOptions['logFile']): LogFile | undefined {
  if (logFile === undefined) return undefined
  return typeof logFile === 'string'
    ? { path: newFile('logFile', logFile) }
    : { ...logFile, path: newFile('logFile', logFile.path) }
}

function vmcoreOf(vmcore: MachineOptions['vmcore']): VmcoreFile | undefined {
  if (vmcore === undefined) return undefined
  return typeof vmcore === 'string'
    ? { path: newFile('vmcore', vmcore) }
    : { ...vmcore, path: newFile('vmcore', vmcore.path) }
}

/** The absolute path of a file that will be written. */
function newFile(option: string, path: string): string {
  const absolute = resolve(path)
  if (statSync(absolute, { throwIfNoEntry: false })?.isDirectory() !== true) return absolute
  throw new OptionError('INVALID_OPTION', `\`${option}\` is a directory: ${absolute}`, {
    hint: 'Pass the path of a file in it.',
  })
}

function isUefi({ firmware }: MachineOptions): boolean {
  return firmware === 'uefi'
}

/** The devices of the option `devices`, then those that other options add, so that these do not change the order. */
function allDevices(options: MachineOptions): Device[] {
  return [
    ...(isUefi(options) ? [uefi()] : []),
    ...(options.devices ?? []),
    ...((options.agent ?? DEFAULTS.agent) ? [channel(AGENT_PORT)] : []),
    ...((options.guestAgent ?? DEFAULTS.guestAgent) ? [channel(GUEST_AGENT_PORT)] : []),
  ]
}

function expandDevices(devices: readonly Device[], arch: Architecture): Device[] {
  return devices.flatMap((device) => (device.expand ? expandDevices(device.expand(arch), arch) : [device]))
}

function wordsOf(kernelArgs: string | readonly string[]): readonly string[] {
  const words = typeof kernelArgs === 'string' ? kernelArgs.split(/\s+/) : kernelArgs
  return Object.freeze(words.filter((word) => word !== ''))
}

// QEMU searches a name without a path in its data folder, which has files such as qboot.rom.
function firmwareOf(firmware: string | undefined): string | undefined {
  if (firmware !== undefined && /^[\w.-]+$/.test(firmware) && !firmware.startsWith('-')) return firmware
  return requireFile('firmware', firmware)
}

function checkSpec(spec: MachineSpec): void {
  const traits = ARCHITECTURES[spec.arch]
  if (spec.kernel === undefined) {
    for (const option of ['initramfs', 'kernelArgs'] as const) {
      if (spec[option] !== undefined && spec[option].length > 0) {
        throw new OptionError('INVALID_OPTION', `\`${option}\` is given without \`kernel\``, {
          hint: 'Set `kernel` too. Without it, the firmware boots, and this option has no effect.',
        })
      }
    }
  }
  if (spec.kernel === undefined && spec.firmware === undefined && !spec.devices.some((device) => device.bootable)) {
    throw new OptionError('INVALID_OPTION', `Machine "${spec.name}" has nothing to boot`, {
      hint: 'Set `kernel` or `firmware`, or add a device to boot from: a disk, or a network card.',
    })
  }
  if (traits.maxMemoryMib !== undefined && spec.memoryMib > traits.maxMemoryMib) {
    throw new OptionError(
      'INVALID_OPTION',
      `\`memory\` is ${spec.memoryMib} MiB, but ${spec.arch} guests can have at most ${traits.maxMemoryMib} MiB`,
      {
        hint: `Set it to ${traits.maxMemoryMib}M or less.`,
      },
    )
  }
  checkMemory(spec)
  if (spec.accelerator === 'tcg' && /^host(,|$)/.test(spec.cpu)) {
    throw new OptionError(
      'INVALID_OPTION',
      `\`cpu: 'host'\` needs hardware acceleration, but this machine has none: ${spec.acceleratorReason}`,
      {
        hint: 'Remove `cpu`: the fastest model that works is chosen.',
      },
    )
  }
  checkClaims(spec)
  for (const device of spec.devices) device.validate?.(spec)
}

/**
 * Rejects a memory size that is too small for the kernel and the initramfs, with which a machine would print nothing.
 */
function checkMemory({ kernel, initramfs, memoryMib }: MachineSpec): void {
  const least = Math.ceil(leastMemory(kernel, initramfs) / 2 ** 20)
  if (memoryMib >= least) return
  throw new OptionError(
    'INVALID_OPTION',
    `\`memory\` is ${memoryMib} MiB, but \`kernel\` and \`initramfs\` alone take ${least} MiB`,
    {
      hint: `Set it to ${2 * least}M or more: a system needs more than that.`,
    },
  )
}

function conflictAdvice(claim: string, isSame: boolean): { readonly hint?: string } {
  if (isSame || claim.startsWith('device:')) return { hint: 'Remove one of the two: a machine can have one of them.' }
  if (claim.startsWith('tag:')) return { hint: 'Set another `tag` for one of them. The default is the same for all.' }
  return {}
}

function checkClaims(spec: MachineSpec): void {
  const owners = new Map<string, Device>()
  for (const device of spec.devices) {
    for (const claim of device.claims ?? []) {
      const owner = owners.get(claim)
      if (owner) {
        throw new OptionError(
          'DEVICE_CONFLICT',
          owner === device
            ? `Machine "${spec.name}" has device ${device.name} twice`
            : `Devices ${owner.name} and ${device.name} of machine "${spec.name}" both have ${claim.replace(':', ' ')}`,
          conflictAdvice(claim, owner === device),
        )
      }
      owners.set(claim, device)
    }
  }
}
