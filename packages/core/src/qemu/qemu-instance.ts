/** One QEMU from spawn to exit: its process, its control channel, and how it ended. Knows nothing of consoles. */
import type { Duplex, Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type { PortForward } from '../devices/device.ts'
import { ColdbootError, StartError } from '../errors.ts'
import { afterReading, startTimer, stopTimer } from '../host/clock.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { CONSOLE_FD, type CommandLine, QMP_FD, STATE_FD } from './command-line.ts'
import { describeExit, type ExitStatus, exitStatusOf } from './exit-status.ts'
import { loadState, type MemoryTransfer } from './migration.ts'
import { type QemuProcess, spawnQemu } from './process.ts'
import { extractQemuError, hintFor } from './qemu-error.ts'
import { QmpClient, type QmpEvent } from './qmp.ts'
import { shutDown } from './shutdown.ts'

/** QEMU answers within 100 ms; a host that needs longer than this is broken. Milliseconds, before the multiplier. */
const ANSWER_MS = 30_000

/** How long the control channel may stay open after the exit: a program that QEMU was wrapped in may hold it. Milliseconds. */
const LAST_EVENTS_MS = 1_000

/** A saved state to load. */
export interface StateInput {
  readonly memory: MemoryTransfer
  /** Our open descriptor of the state, which stays ours to close; or a function that opens a stream of it. */
  readonly source: number | (() => Readable)
}

/** A QEMU that was spawned. */
export class QemuInstance {
  readonly qmp: QmpClient
  /** Our end of the serial console. */
  readonly consoleStream: Duplex
  /** Settles when QEMU is gone and its last event was read; never rejects. */
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
    // The exit can be seen before the last events are read from the socket.
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
   * Spawns QEMU. It may still fail: see {@link connect}.
   *
   * @param shown the command line for a person's shell, for errors
   * @param state the saved state of a machine that is restored
   * @throws StartError `START_FAILED` when the process cannot be made
   */
  static async spawn(spec: MachineSpec, line: CommandLine, shown: string, state?: StateInput): Promise<QemuInstance> {
    const source = state?.source
    const streamed = typeof source === 'function' ? [STATE_FD] : []
    const sockets = [CONSOLE_FD, QMP_FD, ...streamed, ...line.deviceDescriptors.flat()]
    const files = new Map(typeof source === 'number' ? [[STATE_FD, source]] : [])
    try {
      return new QemuInstance(await spawnQemu(line.argv, { sockets, files }), spec, line, { shown, state })
    } catch (cause) {
      throw new StartError(
        'START_FAILED',
        `QEMU could not be started: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          cause,
          sections: { 'Command line': shown },
        },
      )
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
   * Waits until QEMU serves its control channel.
   * @throws StartError `START_FAILED` with QEMU's own words when it exits first, or does not answer
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
   * Loads the saved state given to {@link spawn}; the guest is stopped afterwards.
   * @param uri of the state, from `incomingState`
   * @throws StartError `START_FAILED`, MachineError `QMP_FAILED` when the state does not fit; the error of its source
   */
  async restore(uri: string): Promise<void> {
    try {
      await Promise.race([loadState(this.qmp, uri, this.#state?.memory ?? 'in-file'), this.#exitDuringStart()])
      await this.#fed
    } catch (error) {
      // A state that cannot be read to its end is the reason for whatever QEMU says of it.
      await this.#fed
      throw isChannelEnd(error) ? await this.#exitReason() : error
    }
  }

  /**
   * Hands every device its streams. `vm` is the machine's identity.
   * @param spec the holder's: its devices have the arguments of those that were spawned, in their order
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

  /** Ports of the host that lead into the guest, as the devices reported them. */
  get portForwards(): readonly PortForward[] {
    return this.#portForwards
  }

  /** Ends QEMU; resolves with its exit. Idempotent. */
  async shutDown(): Promise<ExitStatus> {
    this.#shutdown ??= shutDown(this.#process, this.qmp)
    await this.#shutdown
    return this.exited
  }

  /** Ends QEMU without waiting: for the exit of this process, when nothing asynchronous runs any more. */
  kill(): void {
    this.#process.terminate('SIGKILL')
  }

  get #answerMs(): number {
    return ANSWER_MS * this.#spec.timeoutMultiplier
  }

  #silence(): StartError {
    return this.#failure(`QEMU did not answer within ${this.#answerMs} ms`)
  }

  /** The channel ends a moment before the exit is known, which has the reason. */
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
    // Without an event, success says of a guest that runs that it powered off; none has run yet.
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

/** Sends a saved state. A QEMU that ends, or has all it needs, closes its end: that is no error of the source. */
function feed(source: Readable, socket: Duplex): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  source.once('error', reject)
  pipeline(source, socket).then(resolve, resolve)
  return promise
}

/** Resolves after this time, what had arrived by then read. */
async function quietFor(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => startTimer(() => afterReading(resolve), milliseconds).unref())
}

function isChannelEnd(error: unknown): boolean {
  return ColdbootError.is(error) && error.code === 'MACHINE_EXITED'
}
