/**
 * A machine that was spawned, with all that belongs to it: QEMU, console, log, private directory, and the promise of its
 * end. The faces above (VM, templates) are thin over it.
 */
import { constants, mkdirSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ARCHITECTURES } from './architecture.ts'
import { Console } from './console/console.ts'
import type { ConsoleContext } from './console/expect-failure.ts'
import { Transcript } from './console/transcript.ts'
import { describeSpec, type MachineDescription } from './description.ts'
import { MachineError, StartError } from './errors.ts'
import { registerMachine } from './live-machines.ts'
import type { MachineSpec } from './machine-spec.ts'
import { makePrivateDirectory, type PrivateDirectory } from './private-directory.ts'
import { buildCommandLine, type MemoryFile } from './qemu/command-line.ts'
import { describeExit, type ExitStatus } from './qemu/exit-status.ts'
import { locateQemu } from './qemu/locate.ts'
import { Machine } from './qemu/machine.ts'
import { warnOnce } from './warnings.ts'

/** `starting`: QEMU was spawned. `running`: it serves its control channel. `exited`: it is gone and all was read. */
export type MachineState = 'starting' | 'running' | 'exited'

/** How a machine gets its memory and where it begins. */
export interface StartPlan {
  /** Guest memory in a file. @default memory of QEMU’s own */
  readonly memory?: MemoryFile
  /** Begin from a saved state in place of a boot. */
  readonly restore?: RestorePlan
}

/** A saved machine. */
export interface RestorePlan {
  /** Our open descriptor of the saved state; stays ours to close. */
  readonly stateFd: number
  /** The console’s bytes until the save: they count as printed, and the cursor is behind them. */
  readonly console: Uint8Array
  /** What the devices of the saved machine had made in its private directory, in place of {@link Device.prepare}. */
  readonly filesDirectory: string
}

/** One spawned machine. */
export class RunningMachine {
  readonly spec: MachineSpec
  readonly description: MachineDescription
  readonly machine: Machine
  readonly console: Console
  readonly logFile: string
  /** Settles when QEMU is gone and all its output was read and matched; never rejects. */
  readonly ended: Promise<ExitStatus>
  readonly #transcript: Transcript
  readonly #directory: PrivateDirectory
  readonly #registration: Disposable
  #state: MachineState = 'starting'
  #closed: Promise<ExitStatus> | undefined

  private constructor(
    spec: MachineSpec,
    machine: Machine,
    directory: PrivateDirectory,
    description: MachineDescription,
    earlier: Uint8Array | undefined,
  ) {
    this.spec = spec
    this.description = description
    this.machine = machine
    this.#directory = directory
    this.logFile = spec.logFile ?? join(directory.path, 'console.log')
    mkdirSync(dirname(this.logFile), { recursive: true })
    this.#transcript = new Transcript({ file: this.logFile, onWarning: warnOnce })
    this.console = new Console({
      name: spec.name,
      transcript: this.#transcript,
      timeoutMs: spec.timeoutMs * spec.timeoutMultiplier,
      scale: (milliseconds) => milliseconds * spec.timeoutMultiplier,
      describe: () => this.#describe(),
      sinks: spec.serialOutput,
      onWarning: warnOnce,
    })
    if (earlier !== undefined) this.console.recall(earlier)
    this.console.attach(machine.consoleStream)
    this.#registration = registerMachine({ name: spec.name, directory: directory.path, kill: () => machine.kill() })
    this.ended = this.#end()
  }

  /**
   * Prepares the devices and spawns QEMU. It may still fail: see {@link begin}.
   *
   * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`, `START_FAILED`
   */
  static async spawn(spec: MachineSpec, plan: StartPlan = {}): Promise<RunningMachine> {
    requirePlatform()
    if (spec.acceleratorWarning !== undefined) warnOnce(spec.acceleratorWarning)
    const { command: qemu } = await locateQemu(spec.arch, spec.qemu)
    const directory = await makePrivateDirectory()
    try {
      return await RunningMachine.#spawnIn(directory, spec, qemu, plan)
    } catch (error) {
      await directory.remove()
      throw error
    }
  }

  static async #spawnIn(
    directory: PrivateDirectory,
    spec: MachineSpec,
    qemu: readonly string[],
    { memory, restore }: StartPlan,
  ): Promise<RunningMachine> {
    if (restore === undefined) await prepareDevices(spec, directory.path)
    else await cp(restore.filesDirectory, directory.path, { recursive: true, mode: constants.COPYFILE_FICLONE })
    const line = buildCommandLine({
      spec,
      qemu,
      directory: directory.path,
      wiring: 'inherited',
      sandbox: process.platform === 'linux',
      memory,
      incoming: restore !== undefined,
    })
    const description = describeSpec(spec, qemu, directory.path)
    const machine = await Machine.spawn(spec, line, description.commandLineQuoted, restore?.stateFd)
    return new RunningMachine(spec, machine, directory, description, restore?.console)
  }

  /**
   * Waits until QEMU serves its control channel, loads the saved state if there is one, and attaches the devices. The
   * guest of a saved state is still stopped then.
   *
   * @param vm the machine’s identity for its devices: the object its user holds
   * @throws StartError `START_FAILED`, MachineError `QMP_FAILED`; the machine is closed then
   */
  async begin(vm: object, plan: StartPlan = {}): Promise<void> {
    try {
      // The commands of both are sent at once; what fails first has the reason.
      await Promise.all([this.machine.connect(), plan.restore === undefined ? undefined : this.machine.restore()])
      await this.machine.attachDevices(vm, this.#directory.path)
    } catch (error) {
      await this.close()
      throw error
    }
    if (this.#state === 'starting') this.#state = 'running'
  }

  /** Lets the guest of a saved state run. */
  async resume(): Promise<void> {
    await this.machine.qmp.execute('cont')
  }

  get state(): MachineState {
    return this.#state
  }

  /** The private directory. */
  get directory(): string {
    return this.#directory.path
  }

  /**
   * Ends the machine and removes its files. Idempotent; the same result for every caller.
   * @param keep called when QEMU is gone and before the private directory is, with its path
   */
  close(keep?: (directory: string) => Promise<void>): Promise<ExitStatus> {
    this.#closed ??= this.#close(keep)
    return this.#closed
  }

  async #end(): Promise<ExitStatus> {
    const status = await this.machine.exited
    await this.console.end(
      () => new MachineError('MACHINE_EXITED', describeExit(status), { sections: { 'QEMU printed': status.stderr } }),
    )
    this.#state = 'exited'
    return status
  }

  async #close(keep?: (directory: string) => Promise<void>): Promise<ExitStatus> {
    await this.machine.shutDown()
    const status = await this.ended
    this.#transcript.close()
    try {
      await keep?.(this.directory)
    } finally {
      await this.#directory.remove()
      this.#registration[Symbol.dispose]()
    }
    return status
  }

  #describe(): ConsoleContext {
    const { arch } = this.spec
    const { consoleDevice } = ARCHITECTURES[arch]
    return { arch, consoleDevice, commandLine: this.description.commandLineQuoted, logFile: this.logFile }
  }
}

async function prepareDevices(spec: MachineSpec, directory: string): Promise<void> {
  const signal = spec.signal ?? new AbortController().signal
  for (const [position, device] of spec.devices.entries()) {
    await device.prepare?.({ arch: spec.arch, machine: spec.machine, directory, position, signal })
  }
}

function requirePlatform(): void {
  if (process.platform === 'linux' || process.platform === 'darwin') return
  throw new StartError(
    'UNSUPPORTED_PLATFORM',
    `Machines cannot be started on ${process.platform}: QEMU does not inherit sockets there`,
  )
}
