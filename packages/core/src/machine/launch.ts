/** From a MachineSpec to a spawned QEMU in a private directory, before anybody listens to its console. */
import { constants } from 'node:fs'
import { cp } from 'node:fs/promises'
import { StartError } from '../errors.ts'
import { registerMachine } from '../host/live-machines.ts'
import { makePrivateDirectory, type PrivateDirectory } from '../host/private-directory.ts'
import { warnOnce } from '../host/warnings.ts'
import { buildCommandLine, type MemoryFile } from '../qemu/command-line.ts'
import { locateQemu } from '../qemu/locate.ts'
import { incomingState } from '../qemu/migration.ts'
import { QemuInstance } from '../qemu/qemu-instance.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { describeSpec, type MachineDescription } from './description.ts'

/** How a machine gets its memory and where it begins. */
export interface StartPlan {
  /** Guest memory in a file. @default memory of QEMU's own */
  readonly memory?: MemoryFile
  /** Begin from a saved state in place of a boot. */
  readonly restore?: RestorePlan
}

/** A saved machine. */
export interface RestorePlan {
  /** Our open descriptor of the saved state; stays ours to close. */
  readonly stateFd: number
  /** What the devices of the saved machine had made in its private directory, in place of {@link Device.prepare}. */
  readonly filesDirectory: string
  /** Positions of the devices that are prepared all the same: their content is not the saved machine's. */
  readonly changed: readonly number[]
}

/** A QEMU that was spawned. Whoever has it ends it with {@link discard}. */
export interface Launched {
  readonly machine: QemuInstance
  readonly directory: PrivateDirectory
  /** As `7.2.22`. */
  readonly qemuVersion: string
  /** Describes it as its holder's: a machine made ahead was launched before anybody had named it. */
  readonly describe: (spec: MachineSpec) => MachineDescription
  /** Its place among the live machines of this process. */
  readonly registration: Disposable
}

/**
 * Prepares the devices and spawns QEMU, which may still fail.
 *
 * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`, `START_FAILED`
 */
export async function launch(spec: MachineSpec, plan: StartPlan): Promise<Launched> {
  requirePlatform()
  if (spec.acceleratorWarning !== undefined) warnOnce(spec.acceleratorWarning)
  const { command: qemu, version: qemuVersion } = await locateQemu(spec.arch, spec.qemu)
  const directory = await makePrivateDirectory()
  try {
    await prepareDevices(spec, directory.path, plan.restore?.changed)
    if (plan.restore) await copyFiles(plan.restore.filesDirectory, directory.path)
    const line = buildCommandLine({
      spec,
      qemu,
      directory: directory.path,
      wiring: 'inherited',
      sandbox: process.platform === 'linux',
      memory: plan.memory,
      incoming: plan.restore && incomingState(qemuVersion).args,
    })
    const describe = (holders: MachineSpec): MachineDescription => describeSpec(holders, qemu, directory.path)
    const machine = await QemuInstance.spawn(spec, line, describe(spec).commandLineQuoted, plan.restore?.stateFd)
    const registration = registerMachine({ name: spec.name, directory: directory.path, kill: () => machine.kill() })
    return { machine, directory, qemuVersion, describe, registration }
  } catch (error) {
    await directory.remove()
    throw error
  }
}

/** Ends a launched machine if it still runs, and removes its files. Idempotent. */
export async function discard({ machine, directory, registration }: Launched): Promise<void> {
  await machine.shutDown()
  await directory.remove()
  registration[Symbol.dispose]()
}

/** @param positions @default all */
async function prepareDevices(spec: MachineSpec, directory: string, positions?: readonly number[]): Promise<void> {
  const signal = spec.signal ?? new AbortController().signal
  for (const [position, device] of spec.devices.entries()) {
    if (positions?.includes(position) === false) continue
    await device.prepare?.({ arch: spec.arch, machine: spec.machine, directory, position, signal })
  }
}

async function copyFiles(from: string, to: string): Promise<void> {
  // What was prepared for this machine stays.
  await cp(from, to, { recursive: true, force: false, mode: constants.COPYFILE_FICLONE })
}

function requirePlatform(): void {
  if (process.platform === 'linux' || process.platform === 'darwin') return
  throw new StartError(
    'UNSUPPORTED_PLATFORM',
    `Machines cannot be started on ${process.platform}: QEMU cannot inherit sockets there`,
  )
}
