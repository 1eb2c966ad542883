/** A spawned machine: QEMU, console, log, private directory, and the promise of its end. */
import { join } from 'node:path'
import { Console } from '../console/console.ts'
import type { ConsoleContext } from '../console/failure/expect-failure.ts'
import type { Incident } from '../console/incident/incident.ts'
import { type HeldOutput, Transcript } from '../console/log/transcript.ts'
import { TerminalOnConsole } from '../console/terminal/terminal.ts'
import { MachineError } from '../errors.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import { cleanUp } from '../host/machines/clean-up.ts'
import { Turns } from '../host/machines/turns.ts'
import { warnOnce } from '../host/warnings.ts'
import { ARCHITECTURES } from '../options/architecture.ts'
import { describeExit, type ExitStatus } from '../qemu/exit-status.ts'
import type { QemuInstance } from '../qemu/qemu-instance.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import type { GdbServer } from './debug/gdb-server.ts'
import type { MachineDescription } from './description.ts'
import { discard, type Launched, launch, requireNotAborted, type StartPlan, unlessStartAborted } from './launch.ts'
import { connectObserver, type Observation, observe } from './observation.ts'
import { watchMachineEvents } from './qmp-incidents.ts'

/**
 * `starting`: QEMU was spawned. `running`: it answers on QMP. `exited`: it has ended, and all its output was read.
 * `off`: the test has cut its power.
 */
export type MachineState = 'starting' | 'running' | 'exited' | 'off'

/** Access for a debugger to the guest. */
export interface DebuggerAccess extends GdbServer {
  /** Command that connects gdb, for a POSIX shell. */
  readonly command: string
}

/** One spawned machine. */
export class RunningMachine {
  readonly spec: MachineSpec
  readonly description: MachineDescription
  readonly machine: QemuInstance
  readonly console: Console
  readonly terminal: TerminalOnConsole
  readonly logFile: string
  /** Path of the log if it outlives the machine, for error messages. */
  readonly keptLog: string | undefined
  /** Passes an event to the observer; undefined without one. */
  readonly onEvent: ((event: MachineEvent) => void) | undefined
  /** Settles when QEMU has ended and all its output was read and searched. Never rejects. */
  readonly ended: Promise<ExitStatus>
  readonly #failed = Promise.withResolvers<Incident>()
  readonly #incidentListeners = new Set<(incident: Incident) => void>()
  readonly #transcript: Transcript
  readonly #launched: Launched
  readonly #observation: Observation
  /** Whether the test has paused the CPUs. */
  isPaused = false
  /** Saves, dumps, pauses and resets: each relies on the run state of QEMU. */
  readonly turns: Turns = new Turns()
  /** Whether the guest has ended. QEMU may still be paused for a memory dump. */
  isOver = false
  /** Settles when the memory was dumped after a panic. Never rejects. Undefined if there is no dump. */
  dump: Promise<void> | undefined
  /** Why QEMU was replaced by another one, as a clause; undefined if it was not. */
  #replacedBecause: string | undefined
  #state: MachineState = 'starting'
  #gdb: DebuggerAccess | undefined
  #closed: Promise<ExitStatus> | undefined

  /**
   * Starts to read the console of a launched machine.
   *
   * @param spec spec of the owner, which differs from the launched one only in options that the guest cannot see
   * @param earlier console output recorded in the template
   */
  private constructor(spec: MachineSpec, launched: Launched, earlier?: Uint8Array, before?: RunningMachine) {
    const { machine, directory } = launched
    this.spec = spec
    this.description = launched.describe(spec)
    this.machine = machine
    this.#launched = launched
    const log = spec.logFile ?? { path: join(directory.path, 'console.log') }
    this.logFile = log.path
    this.keptLog = spec.logFile?.path
    this.#observation = before
      ? before.#observation
      : observe(this, launched.qemuVersion, earlier === undefined ? 'cold' : 'template')
    this.onEvent = connectObserver(this.#observation, machine)
    this.#transcript = before ? before.#transcript : new Transcript({ file: log, onWarning: warnOnce })
    this.console = new Console({
      name: spec.name,
      transcript: this.#transcript,
      timeoutMs: spec.timeoutMs * spec.timeoutMultiplier,
      scale: (milliseconds) => milliseconds * spec.timeoutMultiplier,
      describe: () => this.#describe(),
      sinks: spec.serialOutput,
      failOn: spec.failOn,
      onEvent: this.onEvent,
      onIncident: (incident) => {
        const { failure, message, allowed } = incident
        this.onEvent?.({ kind: 'incident', failure, message, allowed })
        // If the guest has ended, waits for the end already report the reason.
        if (!incident.allowed && !this.isOver) this.#failed.resolve(incident)
        for (const listener of [...this.#incidentListeners]) listener(incident)
      },
      onWarning: warnOnce,
    })
    if (earlier !== undefined) this.console.recall(earlier, before !== undefined)
    this.terminal = new TerminalOnConsole(this.console, spec.terminal)
    watchMachineEvents(machine.qmp, this.console, spec.allowReboot)
    this.console.attach(machine.consoleStream)
    this.ended = this.#end()
  }

  /**
   * Prepares the devices, spawns QEMU and reads its console. QEMU may still fail after that: see {@link begin}.
   * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`, `START_FAILED`
   * @throws ExpectError `EXPECT_ABORTED`
   */
  static async spawn(spec: MachineSpec, plan: StartPlan = {}): Promise<RunningMachine> {
    requireNotAborted(spec)
    return RunningMachine.adopt(spec, await launch(spec, plan))
  }

  /** Takes over a launched machine, or ends it on failure. Parameters as for the constructor. */
  static async adopt(
    spec: MachineSpec,
    launched: Launched,
    earlier?: Uint8Array,
    before?: RunningMachine,
  ): Promise<RunningMachine> {
    try {
      return new RunningMachine(spec, launched, earlier, before)
    } catch (error) {
      await discard(launched)
      throw error
    }
  }

  /**
   * Waits until QEMU answers on QMP, attaches the devices, and starts the guest.
   *
   * @param vm identity of the machine for its devices: the public VM object
   * @throws StartError `START_FAILED`, ExpectError `EXPECT_ABORTED`; the machine is closed then
   */
  async begin(vm: object): Promise<void> {
    const attached = this.machine.connect().then(() => this.attach(vm))
    try {
      await unlessStartAborted(attached, this.spec)
      await this.machine.startGuest()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Attaches the devices of a running machine. @param vm see {@link begin} */
  async attach(vm: object): Promise<void> {
    await this.machine.attachDevices(vm, this)
    if (this.spec.gdb) await this.serveDebugger()
    if (this.spec.vmcore) await (await import('./debug/panic-dump.ts')).dumpAtPanic(this, this.spec.vmcore)
    if (this.#state === 'starting') this.#state = 'running'
  }

  /** Resolves with a guest failure after which the machine keeps running; otherwise never. */
  get failed(): Promise<Incident> {
    return this.#failed.promise
  }

  /** Calls `listener` for every further guest failure, allowed or not, until disposed. */
  onIncident(listener: (incident: Incident) => void): Disposable {
    this.#incidentListeners.add(listener)
    return { [Symbol.dispose]: () => void this.#incidentListeners.delete(listener) }
  }

  get state(): MachineState {
    return this.#state
  }

  /** The plan of the launch. */
  get plan(): StartPlan {
    return this.#launched.plan
  }

  /** Version of QEMU, such as `7.2.22`. */
  get qemuVersion(): string {
    return this.#launched.qemuVersion
  }

  /** Access for a debugger; undefined if the server was not started. */
  get gdb(): DebuggerAccess | undefined {
    return this.#gdb
  }

  /** Starts the server for a debugger. Idempotent. @throws MachineError `QMP_FAILED` */
  async serveDebugger(): Promise<DebuggerAccess> {
    const { gdbCommand, serveGdb } = await import('./debug/gdb-server.ts')
    if (this.#gdb === undefined) {
      const server = await serveGdb(this.machine.qmp, this.directory)
      this.#gdb = { ...server, command: gdbCommand(this.spec, server.socket) }
    }
    return this.#gdb
  }

  /** Buffers further output instead of writing it to the log. */
  holdLog(): HeldOutput {
    return this.#transcript.hold()
  }

  /** Whether QEMU was replaced by another one, so that its end is not the end of the machine. */
  get isReplaced(): boolean {
    return this.#replacedBecause !== undefined
  }

  /** Why the machine ended, as a clause. */
  endedBecause(status: ExitStatus): string {
    return this.#replacedBecause ?? describeExit(status)
  }

  /** Path of the private directory. */
  get directory(): string {
    return this.#launched.directory.path
  }

  /**
   * Ends the machine and removes its files. Idempotent; all callers get the same result.
   * @param keep called with the path of the private directory after the end of QEMU, before the directory is removed
   */
  close(keep?: (directory: string) => Promise<void>): Promise<ExitStatus> {
    this.#closed ??= this.#close(keep)
    return this.#closed
  }

  async #end(): Promise<ExitStatus> {
    const status = await this.machine.exited
    this.isOver = true
    await this.console.end(
      () =>
        new MachineError('MACHINE_EXITED', this.endedBecause(status), {
          sections: { 'QEMU printed': status.stderr },
        }),
    )
    this.#state = 'exited'
    if (!this.isReplaced) this.onEvent?.({ kind: 'exit', reason: status.reason, message: describeExit(status) })
    return status
  }

  /**
   * Kills QEMU, to be replaced by another one with the same log and observer. Its files remain until {@link discard}.
   * @param why clause for pending waits and the log
   */
  async replace(why: string): Promise<void> {
    this.#replacedBecause = why
    this.machine.kill()
    await this.ended
    this.#transcript.write(Buffer.from(`\r\n[coldboot] ${why}\r\n`))
  }

  /** Removes the files of a machine that was replaced. */
  async discard(): Promise<void> {
    await cleanUp(
      () => discard(this.#launched),
      () => this.#gdb?.close(),
    )
  }

  async #close(keep?: (directory: string) => Promise<void>): Promise<ExitStatus> {
    await this.dump
    const closing = this.#finish(keep)
    await cleanUp(
      () => closing,
      () => this.discard(),
    )
    return closing
  }

  /** Ends QEMU and the log. */
  async #finish(keep?: (directory: string) => Promise<void>): Promise<ExitStatus> {
    await this.machine.shutDown()
    const status = await this.ended
    this.#transcript.close()
    const { leftOut } = this.#transcript
    if (leftOut > 0) this.onEvent?.({ kind: 'cut', bytesLeftOut: leftOut })
    await keep?.(this.directory)
    return status
  }

  #describe(): ConsoleContext {
    const { arch } = this.spec
    const { consoleDevice } = ARCHITECTURES[arch]
    const emulatedBecause = this.spec.accelerator === 'tcg' ? this.spec.acceleratorReason : undefined
    return {
      arch,
      consoleDevice,
      emulatedBecause,
      isPaused: this.isPaused,
      hasTerminal: this.spec.terminal !== undefined,
      commandLine: this.description.commandLine,
      logFile: this.keptLog,
    }
  }
}
