/** Spawns QEMU for a MachineSpec, in a private directory. */
import { ExpectError, messageOf, StartError } from '../errors.ts'
import { makePrivateDirectory, type PrivateDirectory } from '../host/files/private-directory.ts'
import { cleanUp } from '../host/machines/clean-up.ts'
import { registerMachine } from '../host/machines/live-machines.ts'
import { unlessAborted } from '../host/unless-aborted.ts'
import { warnOnce } from '../host/warnings.ts'
import { buildCommandLine, type CommandLine, type GuestMemory } from '../qemu/command-line.ts'
import { ConsolePipe } from '../qemu/console-pipe.ts'
import type { HelperProcesses } from '../qemu/helper-processes/helper-processes.ts'
import type { QemuBinary } from '../qemu/locate.ts'
import { incomingState } from '../qemu/migration.ts'
import { QemuInstance, type StateInput } from '../qemu/qemu-instance.ts'
import { requireHost } from '../qemu/required-host.ts'
import type { StateFile } from '../qemu/state/state-file.ts'
import { requireKernelOf } from '../spec/kernel-architecture.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { describeSpec, type MachineDescription } from './description.ts'

/** Memory, initial state and files of a machine. */
export interface StartPlan {
  /** Guest memory. @default QEMU's default, without a generation id */
  readonly memory?: GuestMemory | undefined
  /** Starts from a saved state instead of a boot. */
  readonly restore?: RestorePlan
  /** Puts the files of the devices into the private directory, instead of {@link Device.prepare}. @default none */
  files?(directory: string): Promise<void>
  /** Called when the machine has ended, to remove files outside its private directory. @default none */
  release?(): Promise<void>
}

/** A saved state to start from. */
export interface RestorePlan {
  readonly state: StateInput
  /** States whose pages are loaded over the file of {@link StartPlan.memory}, the oldest first. @default [] */
  readonly layers?: readonly StateFile[]
  /**
   * Copies the files of the devices of the saved machine to the private directory, instead of {@link Device.prepare}.
   * Existing files are kept.
   */
  files(directory: string): Promise<void>
  /** Positions of the devices that are prepared again, because their content differs from that of the saved machine. */
  readonly changed: readonly number[]
}

/** A spawned QEMU. The owner ends it with {@link discard}. */
export interface Launched {
  readonly machine: QemuInstance
  readonly directory: PrivateDirectory
  /** Version of QEMU, such as `7.2.22`. */
  readonly qemuVersion: string
  /** Describes the machine with the options of its owner, which a pooled machine gets only after the launch. */
  readonly describe: (spec: MachineSpec) => MachineDescription
  /** The plan of the launch. */
  readonly plan: StartPlan
  /** Entry in the registry of live machines. */
  readonly registration: Disposable
}

/**
 * Prepares the devices, and spawns QEMU and the helper processes of its devices. QEMU may still fail after that.
 *
 * @throws OptionError `KERNEL_MISMATCH` for a kernel of another architecture
 * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`, `START_FAILED`
 */
export async function launch(spec: MachineSpec, plan: StartPlan): Promise<Launched> {
  if (plan.restore === undefined) requireKernelOf(spec)
  if (spec.acceleratorWarning !== undefined) warnOnce(spec.acceleratorWarning)
  const { command: qemu, version: qemuVersion } = await requireHost(spec.arch, spec.qemu)
  const directory = await makePrivateDirectory()
  const pipe = ConsolePipe.create(directory.path).catch((cause: unknown) => {
    throw new StartError('START_FAILED', `The console of the machine could not be created: ${messageOf(cause)}`, {
      cause,
    })
  })
  // It is awaited only after the devices are prepared.
  pipe.catch(ignore)
  try {
    await prepareDevices(spec, directory.path, plan.files ? [] : plan.restore?.changed)
    await plan.files?.(directory.path)
    if (plan.restore) await plan.restore.files(directory.path)
    const consolePipe = await pipe
    const line = launchedCommandLine(
      spec,
      plan,
      { command: qemu, version: qemuVersion },
      directory.path,
      consolePipe?.path,
    )
    const describe = (holders: MachineSpec): MachineDescription => describeSpec(holders, qemu, directory.path)
    const machine = await QemuInstance.spawn(spec, line, {
      shown: describe(spec).commandLineQuoted,
      state: plan.restore?.state,
      memoryFd: plan.memory?.fd,
      consolePipe,
      helpers: await helpersOf(spec, line, directory.path),
    })
    const registration = registerMachine({ name: spec.name, directory: directory.path, kill: () => machine.kill() })
    return { machine, directory, qemuVersion, describe, plan, registration }
  } catch (error) {
    await pipe.then((created) => created?.destroy(), ignore)
    await directory.remove()
    throw error
  }
}

/**
 * Spawns QEMU and loads a saved state. The guest is stopped afterwards; `cont` resumes it.
 *
 * @throws StartError as {@link launch}; MachineError `QMP_FAILED` when the state cannot be loaded; ExpectError
 * `EXPECT_ABORTED`
 */
export async function launchRestored(spec: MachineSpec, plan: StartPlan): Promise<Launched> {
  requireNotAborted(spec)
  const launched = await launch(spec, plan)
  try {
    // Both send their commands at once. The first rejection has the reason of a failure.
    await unlessStartAborted(Promise.all([launched.machine.connect(), loadPlanned(launched)]), spec)
    return launched
  } catch (error) {
    await discard(launched)
    throw error
  }
}

/** Spawns QEMU, which then waits for its state: see {@link loadPlanned}. @throws StartError as {@link launch} */
export async function launchWaiting(spec: MachineSpec, plan: StartPlan): Promise<Launched> {
  const launched = await launch(spec, plan)
  try {
    await launched.machine.connect()
    return launched
  } catch (error) {
    await discard(launched)
    throw error
  }
}

/** Loads the saved state of the plan, if it has one. @throws MachineError `QMP_FAILED` when it cannot be loaded */
export async function loadPlanned({ machine, plan, qemuVersion }: Launched): Promise<void> {
  if (plan.restore) await machine.restore(incomingState(qemuVersion).uri)
}

/**
 * The command line that {@link launch} starts.
 * @param consolePipe path of the named pipes of the console, @default none: a socket
 */
export function launchedCommandLine(
  spec: MachineSpec,
  { memory, restore }: StartPlan,
  { command, version }: Pick<QemuBinary, 'command' | 'version'>,
  directory: string,
  consolePipe?: string,
): CommandLine {
  return buildCommandLine({
    spec,
    qemu: command,
    directory,
    wiring: 'inherited',
    consolePipe,
    sandbox: process.platform === 'linux',
    memory,
    incoming: restore && incomingState(version).args,
  })
}

/** Ends a launched machine if it still runs, and removes its files. Idempotent. */
export async function discard({ machine, directory, plan, registration }: Launched): Promise<void> {
  await cleanUp(
    () => machine.shutDown(),
    () => directory.remove(),
    () => plan.release?.(),
    () => registration[Symbol.dispose](),
  )
}

/** Awaits a part of the start of a machine. @throws ExpectError `EXPECT_ABORTED` when the signal of the machine aborts */
export async function unlessStartAborted<T>(promise: Promise<T>, spec: MachineSpec): Promise<T> {
  return spec.signal ? unlessAborted(promise, spec.signal, () => startAborted(spec)) : promise
}

/** @throws ExpectError `EXPECT_ABORTED` when the signal of the machine has aborted */
export function requireNotAborted(spec: Pick<MachineSpec, 'name' | 'signal'>): void {
  if (spec.signal?.aborted) throw startAborted(spec)
}

function startAborted({ name, signal }: Pick<MachineSpec, 'name' | 'signal'>): ExpectError {
  const reason: unknown = signal?.reason
  const why = messageOf(reason)
  return new ExpectError('EXPECT_ABORTED', `The start of machine "${name}" was aborted: ${why}`, { cause: reason })
}

/** Spawns the helper processes of the devices. */
async function helpersOf(
  spec: MachineSpec,
  line: CommandLine,
  directory: string,
): Promise<HelperProcesses | undefined> {
  if (!spec.devices.some((device) => device.helper !== undefined)) return undefined
  const { HelperProcesses } = await import('../qemu/helper-processes/helper-processes.ts')
  return HelperProcesses.spawn(spec, line, directory)
}

/** @param positions positions of the devices to prepare @default all */
async function prepareDevices(spec: MachineSpec, directory: string, positions?: readonly number[]): Promise<void> {
  const signal = spec.signal ?? new AbortController().signal
  for (const [position, device] of spec.devices.entries()) {
    if (positions?.includes(position) === false) continue
    await device.prepare?.({ arch: spec.arch, machine: spec.machine, directory, position, signal })
  }
}

function ignore(): void {}
