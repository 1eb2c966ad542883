/** One QEMU from spawn to exit: its process, its QMP connection, and its exit status. */
import type { Duplex, Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type { PortForward } from '../devices/device.ts'
import { ColdbootError, messageOf, StartError } from '../errors.ts'
import { afterReading, startTimer, stopTimer } from '../host/clock.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { CONSOLE_FD, type CommandLine, QMP_FD, STATE_FD } from './command-line.ts'
import { describeExit, type ExitStatus, exitStatusOf } from './exit-status.ts'
import { loadState, type MemoryTransfer } from './migration.ts'
import { type QemuProcess, spawnQemu } from './process.ts'
import { extractQemuError, hintFor } from './qemu-error.ts'
import { QmpClient, type QmpEvent } from './qmp.ts'
import { shutDown } from './shutdown.ts'

/** Longest wait for QEMU, which normally answers within 100 ms. Milliseconds, before the multiplier. */
const ANSWER_MS = 30_000

/** Longest wait for the end of the QMP stream after the exit, in case a wrapper of QEMU keeps it open. Milliseconds. */
const LAST_EVENTS_MS = 1_000

/** A saved state to load. */
export interface StateInput {
  readonly memory: MemoryTransfer
  /** An open descriptor of the state, which the caller closes, or a function that opens a stream of it. */
  readonly source: number | (() => Readable)
}

/** A spawned QEMU. */
export class QemuInstance {
  readonly qmp: QmpClient
  /** Our end of the serial console. */
  readonly consoleStream: Duplex
  /** Resolves when QEMU has ended and its last event was read. Never rejects. */
  readonly exited: Promise<ExitStatus>
  readonly #process: QemuProcess
  readonly #spec: MachineSpec
  readonly #line: CommandLine
  readonly #shown: string
  readonly #portForwards: PortForward[] = []
  readonly #state: StateInput | undefined
  /** Rejects when the saved state could not be read. */
  #fed: Promise<void> = Promise.resolve()
  #shutdown: Promise<unknown> | undefined
  #gone = false

  private constructor(
    process: QemuProcess,
    spec: MachineSpec,
    line: CommandLine,
    { shown, state }: { readonly shown: string; readonly state: StateInput | undefined },
  ) {
    this.#process = process
    this.#spec = spec
    this.#line = line
    this.#shown = shown
    this.#state = state
    if (typeof state?.source === 'function') this.#fed = feed(state.source(), process.stream(STATE_FD))
    this.consoleStream = process.stream(CONSOLE_FD)
    const control = process.stream(QMP_FD)
    this.qmp = new QmpClient(control)
    let shutdown: QmpEvent | undefined
    this.qmp.onEvent((event) => {
      if (event.event === 'SHUTDOWN') shutdown = event
    })
    // The exit may be reported before the last events are read from the socket.
    const controlEnded = finished(control, { writable: false }).catch(() => {})
    this.exited = process.exited.then(async (exit) => {
      await Promise.race([controlEnded, quietFor(LAST_EVENTS_MS)])
      return exitStatusOf(exit, shutdown, process.stderr())
    })
    void process.exited.then(() => {
      this.#gone = true
    })
  }

  /**
   * Spawns QEMU. It may fail later: see {@link connect}.
   *
   * @param shown command line for errors
   * @param state saved state of a machine that is restored
   * @throws StartError `START_FAILED` when the process cannot be created
   */
  static async spawn(spec: MachineSpec, line: CommandLine, shown: string, state?: StateInput): Promise<QemuInstance> {
    const source = state?.source
    const streamed = typeof source === 'function' ? [STATE_FD] : []
    const sockets = [CONSOLE_FD, QMP_FD, ...streamed, ...line.deviceDescriptors.flat()]
    const files = new Map(typeof source === 'number' ? [[STATE_FD, source]] : [])
    try {
      return new QemuInstance(await spawnQemu(line.argv, { sockets, files }), spec, line, { shown, state })
    } catch (cause) {
      throw new StartError('START_FAILED', `QEMU could not be started: ${messageOf(cause)}`, {
        cause,
        sections: { 'Command line': shown },
      })
    }
  }

  /** Whether QEMU has ended. */
  get gone(): boolean {
    return this.#gone
  }

  get pid(): number {
    return this.#process.pid
  }

  /**
   * Waits until QEMU answers on QMP.
   * @throws StartError `START_FAILED` with the output of QEMU when it exits first, or does not answer
   */
  async connect(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const silent = new Promise<never>((_, reject) => {
      timer = startTimer(() => reject(this.#silence()), this.#answerMs)
    })
    try {
      await Promise.race([this.qmp.connect(), silent, this.#exitDuringStart()])
    } catch (error) {
      throw error instanceof StartError ? error : await this.#exitReason()
    } finally {
      stopTimer(timer)
    }
  }

  /**
   * Loads the saved state passed to {@link spawn}. The guest is stopped afterwards.
   * @param uri of the state, from `incomingState`
   * @throws StartError `START_FAILED`, MachineError `QMP_FAILED` when the state does not fit; the error of its source
   */
  async restore(uri: string): Promise<void> {
    try {
      await Promise.race([loadState(this.qmp, uri, this.#state?.memory ?? 'in-file'), this.#exitDuringStart()])
      await this.#fed
    } catch (error) {
      // If the state could not be read to its end, this is the cause of QEMU's error.
      await this.#fed
      throw isChannelEnd(error) ? await this.#exitReason() : error
    }
  }

  /**
   * Passes each device its streams. `vm` is the identity of the machine.
   * @param spec spec of the owner, whose devices have the same arguments in the same order as the spawned ones
   */
  async attachDevices(vm: object, directory: string, spec: MachineSpec): Promise<void> {
    const exited = this.exited.then(() => {})
    for (const [position, device] of spec.devices.entries()) {
      await device.attach?.({
        vm,
        machineName: spec.name,
        directory,
        streams: (this.#line.deviceDescriptors[position] ?? []).map((fd) => this.#process.stream(fd)),
        ids: this.#line.deviceIds[position] ?? [],
        qmp: this.qmp,
        exited,
        timeout: spec.timeoutMs * spec.timeoutMultiplier,
        timeoutMultiplier: spec.timeoutMultiplier,
        failOn: spec.failOn,
        publishPort: (forward) => void this.#portForwards.push(forward),
      })
    }
  }

  /** Host ports that are forwarded into the guest, as the devices reported them. */
  get portForwards(): readonly PortForward[] {
    return this.#portForwards
  }

  /** Ends QEMU. Idempotent. */
  async shutDown(): Promise<ExitStatus> {
    this.#shutdown ??= shutDown(this.#process, this.qmp)
    await this.#shutdown
    return this.exited
  }

  /** Kills QEMU synchronously, at the exit of this process. */
  kill(): void {
    this.#process.terminate('SIGKILL')
  }

  get #answerMs(): number {
    return ANSWER_MS * this.#spec.timeoutMultiplier
  }

  #silence(): StartError {
    return this.#failure(`QEMU did not answer within ${this.#answerMs} ms`)
  }

  /** Waits for the exit, which has the reason. The QMP stream ends slightly earlier. */
  async #exitReason(): Promise<unknown> {
    const { promise: late, resolve } = Promise.withResolvers<StartError>()
    const timer = startTimer(() => resolve(this.#silence()), this.#answerMs)
    try {
      return await Promise.race([this.#exitDuringStart().catch((error: unknown) => error), late])
    } finally {
      stopTimer(timer)
    }
  }

  async #exitDuringStart(): Promise<never> {
    const status = await this.exited
    // Exit code 0 without an event normally means a power-off, but no guest has run yet.
    const how = status.exitCode === 0 ? ' with exit code 0' : `: ${describeExit(status)}`
    throw this.#failure(`QEMU exited during the start${how}`, status)
  }

  #failure(message: string, status?: ExitStatus): StartError {
    const own = (status?.stderr ?? this.#process.stderr()).trim()
    const complaint = extractQemuError(own)
    const hint = hintFor(own, this.#spec)
    return new StartError('START_FAILED', complaint === '' ? message : `${message}\n${complaint}`, {
      ...(hint === undefined ? {} : { hint }),
      sections: { 'QEMU printed': own, 'Command line': this.#shown },
    })
  }
}

/** Sends a saved state. QEMU may close its end early, which is not an error of the source. */
function feed(source: Readable, socket: Duplex): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  source.once('error', reject)
  pipeline(source, socket).then(resolve, resolve)
  return promise
}

/** Resolves after this time, when the data that arrived by then is read. */
async function quietFor(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => startTimer(() => afterReading(resolve), milliseconds).unref())
}

function isChannelEnd(error: unknown): boolean {
  return ColdbootError.is(error) && error.code === 'MACHINE_EXITED'
}
