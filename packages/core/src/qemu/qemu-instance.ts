/** One QEMU from spawn to exit: its process, its QMP connection, and its exit status. */
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { AttachContext, PortForward } from '../devices/device.ts'
import { ColdbootError, messageOf, StartError } from '../errors.ts'
import { startTimer, stopTimer } from '../host/clock.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { CONSOLE_FD, type CommandLine, QMP_FD, STATE_FD } from './command-line.ts'
import type { ConsolePipe } from './console-pipe.ts'
import { describeExit, type ExitStatus, exitStatusOf, type LostConnection } from './exit-status.ts'
import type { HelperProcesses } from './helper-processes/helper-processes.ts'
import { loadState, type MemoryTransfer } from './migration.ts'
import { type QemuProcess, spawnQemu } from './process.ts'
import { extractQemuError, hintFor } from './qemu-error.ts'
import { QmpClient, type QmpEvent, type QmpMessage } from './qmp.ts'
import { afterDelay, shutDown } from './shutdown.ts'

/** Timeout of the first answer of QEMU, which normally takes 100 ms. Milliseconds, before the multiplier. */
export const ANSWER_MS = 30_000

/** How much longer the load of a state may take if it contains guest memory, which may have to be read from a disk. */
const STREAM_FACTOR = 10

/** Longest wait for the end of the QMP stream after the exit: a wrapper of QEMU may keep it open. Milliseconds. */
const LAST_EVENTS_MS = 1_000

/**
 * Time for QEMU to exit after a connection to it has ended. QEMU is killed after this time: without console or QMP, the
 * machine cannot be used, and its waits would not end. Milliseconds.
 */
const EXIT_MS = 5_000

/** A saved state to load. */
export interface StateInput {
  readonly memory: MemoryTransfer
  /**
   * Open descriptor of the state file, which the caller closes. Not a socket, which QEMU reads several times slower.
   */
  readonly source: number
}

/** Parameters of a {@link QemuInstance}, besides spec and command line. */
export interface InstanceOrigin {
  /** Command line for errors. */
  readonly shown: string
  /** Saved state to load. @default none: the machine boots, or the state was already loaded */
  readonly state?: StateInput | undefined
  /** Open descriptor of the memory of a machine that boots. @default none */
  readonly memoryFd?: number | undefined
  /** Named pipes of the console. @default none: a socket that QEMU inherits */
  readonly consolePipe?: ConsolePipe | undefined
  /** QMP messages so far. @default none */
  readonly messages?: readonly QmpMessage[] | undefined
  /** Helper processes of the devices. @default none */
  readonly helpers?: HelperProcesses | undefined
}

/** A spawned QEMU. */
export class QemuInstance {
  readonly qmp: QmpClient
  /** Stream of the serial console. */
  readonly consoleStream: Duplex
  /** Resolves when QEMU has ended and its last event was read. Never rejects. */
  readonly exited: Promise<ExitStatus>
  readonly #process: QemuProcess
  readonly #spec: MachineSpec
  readonly #line: CommandLine
  /** Command line for errors. */
  readonly #shownLine: string
  readonly #portForwards: PortForward[] = []
  readonly #state: StateInput | undefined
  readonly #helpers: HelperProcesses | undefined
  readonly #consolePipe: ConsolePipe | undefined
  #shutdown: Promise<unknown> | undefined
  #lost: LostConnection | undefined
  #gone = false

  private constructor(
    process: QemuProcess,
    spec: MachineSpec,
    line: CommandLine,
    { shown, state, messages, helpers, consolePipe }: InstanceOrigin,
  ) {
    this.#process = process
    this.#spec = spec
    this.#line = line
    this.#shownLine = shown
    this.#state = state
    this.#helpers = helpers
    this.#consolePipe = consolePipe
    this.consoleStream = consolePipe ?? process.stream(CONSOLE_FD)
    const control = process.stream(QMP_FD)
    this.qmp = new QmpClient(control, messages)
    let shutdown: QmpEvent | undefined
    this.qmp.onEvent((event) => {
      // Only the first event counts: if QEMU pauses at the end of the machine, it sends another one when it exits.
      if (event.event === 'SHUTDOWN') shutdown ??= event
    })
    // Node may report the exit before it has read the last events from the socket.
    const controlEnded = finished(control, { writable: false }).catch(() => {})
    this.exited = process.exited.then(async (exit) => {
      await Promise.race([controlEnded, afterDelay(LAST_EVENTS_MS)])
      await helpers?.end()
      return exitStatusOf(exit, shutdown ?? this.#lost, process.stderr())
    })
    void process.exited.then(() => {
      this.#gone = true
      consolePipe?.finish()
    })
    void controlEnded.then(() => this.#endWithout('qmp-lost'))
    const consoleEnded = finished(this.consoleStream, { writable: false }).catch(() => {})
    void consoleEnded.then(() => this.#endWithout('console-lost'))
  }

  /**
   * Spawns QEMU. {@link connect} then waits for a successful start.
   * @throws StartError `START_FAILED` when the process cannot be created
   */
  static async spawn(spec: MachineSpec, line: CommandLine, origin: InstanceOrigin): Promise<QemuInstance> {
    const { shown, state, memoryFd, helpers, consolePipe } = origin
    const files = new Map<number, number | Duplex>(helpers?.sockets)
    const sockets = [
      ...(consolePipe ? [] : [CONSOLE_FD]),
      QMP_FD,
      ...line.deviceDescriptors.flat().filter((fd) => !files.has(fd)),
    ]
    if (state !== undefined) files.set(STATE_FD, state.source)
    if (memoryFd !== undefined) files.set(STATE_FD, memoryFd)
    try {
      const process = await spawnQemu(line.argv, { sockets, files })
      helpers?.passed()
      return new QemuInstance(process, spec, line, origin)
    } catch (cause) {
      await helpers?.end()
      consolePipe?.destroy()
      throw new StartError('START_FAILED', `QEMU could not be started: ${messageOf(cause)}`, {
        cause,
        sections: { 'Command line': shown },
      })
    }
  }

  /** Takes over a QEMU that another process has spawned and connected to. */
  static adopt(process: QemuProcess, spec: MachineSpec, line: CommandLine, origin: InstanceOrigin): QemuInstance {
    return new QemuInstance(process, spec, line, origin)
  }

  /** The streams of a device. @param position its index in `spec.devices` */
  streamsOf(position: number): readonly Duplex[] {
    return (this.#line.deviceDescriptors[position] ?? []).map((fd) => this.#process.stream(fd))
  }

  /** Whether QEMU has ended. */
  get gone(): boolean {
    return this.#gone
  }

  get pid(): number {
    return this.#process.pid
  }

  /**
   * Waits until QEMU answers on QMP. @throws StartError `START_FAILED` with the output of QEMU when it exits before an answer, or gives none in time
   */
  async connect(): Promise<void> {
    try {
      await this.#within(this.#answerMs, 'answer', this.qmp.connect())
      await this.#consolePipe?.unlink()
    } catch (error) {
      throw error instanceof StartError ? error : await this.#exitReason()
    }
  }

  /**
   * Loads the saved state passed to {@link spawn}. The guest is stopped afterwards.
   * @param uri URI of the state, from `incomingState`
   * @throws StartError `START_FAILED`, also when it takes too long; MachineError `QMP_FAILED` when QEMU cannot load it
   */
  async restore(uri: string): Promise<void> {
    const memory = this.#state?.memory ?? 'in-file'
    const limitMs = this.#answerMs * (memory === 'in-file' ? 1 : STREAM_FACTOR)
    try {
      await this.#within(limitMs, 'load its state', loadState(this.qmp, uri, memory))
    } catch (error) {
      throw hasExited(error) ? await this.#exitReason() : error
    }
  }

  /**
   * Attaches the devices, each to its streams. The spec may differ from the spawned one, but its devices must have the same
   * arguments in the same order.
   * @param vm identity of the machine for its devices
   */
  async attachDevices(
    vm: object,
    { directory, spec, onEvent }: Pick<AttachContext, 'directory' | 'onEvent'> & { readonly spec: MachineSpec },
  ): Promise<void> {
    const exited = this.exited.then(() => {})
    for (const [position, device] of spec.devices.entries()) {
      await device.attach?.({
        vm,
        machineName: spec.name,
        directory,
        streams: device.helper ? [] : this.streamsOf(position),
        ids: this.#line.deviceIds[position] ?? [],
        qmp: this.qmp,
        exited,
        onEvent,
        timeout: spec.timeoutMs * spec.timeoutMultiplier,
        timeoutMultiplier: spec.timeoutMultiplier,
        failOn: spec.failOn,
        publishPort: (forward) => void this.#portForwards.push(forward),
      })
    }
  }

  /** Starts the guest of a machine that boots, unless the user's arguments hold it. @throws MachineError `QMP_FAILED` */
  async startGuest(): Promise<void> {
    if (this.#line.holdsGuest) return
    await this.qmp.execute('cont').catch((error: unknown) => {
      // The guest may end QEMU before the answer is read.
      if (!hasExited(error)) throw error
    })
  }

  /** Host ports that are forwarded into the guest, as the devices reported them. */
  get portForwards(): readonly PortForward[] {
    return this.#portForwards
  }

  /** Sets whether QEMU keeps this process running. @default true */
  hold(held: boolean): void {
    this.#process.hold(held)
    this.#helpers?.hold(held)
    this.#consolePipe?.hold(held)
  }

  /** Ends QEMU. All calls return the same status. */
  async shutDown(): Promise<ExitStatus> {
    this.#shutdown ??= shutDown(this.#process, this.qmp)
    await this.#shutdown
    return this.exited
  }

  /** Kills QEMU without waiting for its end, for use at the exit of this process. */
  kill(): void {
    this.#process.terminate('SIGKILL')
  }

  /** Kills QEMU after a connection has ended, unless it exits by itself in time. */
  async #endWithout(connection: LostConnection): Promise<void> {
    await afterDelay(EXIT_MS)
    if (this.#gone || this.#shutdown) return
    this.#lost ??= connection
    this.kill()
  }

  get #answerMs(): number {
    return ANSWER_MS * this.#spec.timeoutMultiplier
  }

  /** Awaits work of QEMU during the start, unless it exits. @param what the work, for the error */
  async #within(limitMs: number, what: string, work: Promise<unknown>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = startTimer(() => reject(this.#failure(`QEMU did not ${what} within ${limitMs} ms`)), limitMs)
    // QEMU keeps this process running, except in the pool.
    timer.unref()
    try {
      await Promise.race([work, late, this.#exitDuringStart()])
    } finally {
      stopTimer(timer)
    }
  }

  /** Waits for the exit, which follows the end of the QMP stream. Returns an error with the reason of the exit. */
  #exitReason(): Promise<unknown> {
    return this.#within(this.#answerMs, 'answer', new Promise(() => {})).catch((error: unknown) => error)
  }

  async #exitDuringStart(): Promise<never> {
    const status = await this.exited
    // `describeExit` would report a power-off of the guest for exit code 0, but QEMU holds the guest during the start.
    const how = status.exitCode === 0 ? ' with exit code 0' : `: ${describeExit(status)}`
    throw this.#failure(`QEMU exited during the start${how}`, status)
  }

  #failure(what: string, status?: ExitStatus): StartError {
    const printed = (status?.stderr ?? this.#process.stderr()).trim()
    const message = extractQemuError(printed)
    const hint = hintFor(printed, this.#spec)
    return new StartError('START_FAILED', message === '' ? what : `${what}\n${message}`, {
      ...(hint === undefined ? {} : { hint }),
      sections: { 'QEMU printed': printed, ...this.#helpers?.printed(), 'Command line': this.#shownLine },
    })
  }
}

function hasExited(error: unknown): boolean {
  return ColdbootError.is(error) && error.code === 'MACHINE_EXITED'
}
