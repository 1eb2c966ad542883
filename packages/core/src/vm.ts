/** The face of a machine: start, expect, send, wait, close. The work is in the rooms below. */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ARCHITECTURES } from './architecture.ts'
import { Console } from './console/console.ts'
import { type ConsoleContext, lastLines } from './console/expect-failure.ts'
import type { ExpectOptions } from './console/expect-options.ts'
import type { Match, PatternInput } from './console/pattern.ts'
import { Transcript } from './console/transcript.ts'
import { describeSpec, type MachineDescription } from './description.ts'
import type { PortForward } from './devices/device.ts'
import { ExpectError, MachineError, OptionError, StartError } from './errors.ts'
import { registerMachine } from './live-machines.ts'
import { type MachineSpec, resolveOptions } from './machine-spec.ts'
import type { VMOptions } from './options.ts'
import { makePrivateDirectory, type PrivateDirectory } from './private-directory.ts'
import { buildCommandLine } from './qemu/command-line.ts'
import { describeExit, type ExitStatus } from './qemu/exit-status.ts'
import { locateQemu } from './qemu/locate.ts'
import { Machine } from './qemu/machine.ts'
import { warnOnce } from './warnings.ts'

/** `starting`: QEMU was spawned. `running`: it serves its control channel. `exited`: it is gone and all was read. */
export type VMState = 'starting' | 'running' | 'exited'

/** Options of {@link VM.wait}. */
export interface WaitOptions {
  /** Longest wait, milliseconds, before the multiplier. @default none: as long as it takes */
  readonly timeout?: number
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal
}

/** The pieces of a machine that was spawned. */
interface Parts {
  readonly spec: MachineSpec
  readonly machine: Machine
  readonly directory: PrivateDirectory
  readonly description: MachineDescription
}

/** A running virtual machine. `await using vm = await VM.start(options)` ends it with the block. */
export class VM implements AsyncDisposable {
  /** Complete and checked, as it was started. */
  readonly spec: MachineSpec
  /** Arguments that start the same machine from a person’s shell, console on the terminal. */
  readonly commandLine: readonly string[]
  /** The same as one line for a POSIX shell. */
  readonly commandLineQuoted: string
  /** Path of the console log: every byte as it came. Removed by `close()` unless `logFile` was given. */
  readonly logFile: string
  readonly #machine: Machine
  readonly #console: Console
  readonly #transcript: Transcript
  readonly #directory: PrivateDirectory
  readonly #registration: Disposable
  readonly #ended: Promise<ExitStatus>
  #state: VMState = 'starting'
  #ready: Promise<Match> | undefined
  #closed: Promise<ExitStatus> | undefined

  private constructor({ spec, machine, directory, description }: Parts) {
    this.spec = spec
    this.commandLine = description.commandLine
    this.commandLineQuoted = description.commandLineQuoted
    this.logFile = spec.logFile ?? join(directory.path, 'console.log')
    this.#machine = machine
    this.#directory = directory
    mkdirSync(dirname(this.logFile), { recursive: true })
    this.#transcript = new Transcript({ file: this.logFile, onWarning: warnOnce })
    this.#console = new Console({
      name: spec.name,
      transcript: this.#transcript,
      timeoutMs: this.timeout,
      scale: (milliseconds) => milliseconds * spec.timeoutMultiplier,
      describe: () => this.#describe(),
      sinks: spec.serialOutput,
    })
    this.#console.attach(machine.consoleStream)
    this.#registration = registerMachine({ name: spec.name, directory: directory.path, kill: () => machine.kill() })
    this.#ended = this.#end()
  }

  /**
   * Starts a machine; resolves when QEMU serves its control channel, without waiting for the guest (see {@link ready}).
   *
   * @throws OptionError before anything is spawned, for everything that is wrong with the options
   * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`; `START_FAILED` with what QEMU printed
   */
  static async start(options: VMOptions): Promise<VM> {
    const spec = resolveOptions(options)
    requirePlatform()
    if (spec.acceleratorWarning !== undefined) warnOnce(spec.acceleratorWarning)
    const { command: qemu } = await locateQemu(spec.arch, spec.qemu)
    const directory = await makePrivateDirectory()
    try {
      return await VM.#startIn(directory, spec, qemu)
    } catch (error) {
      await directory.remove()
      throw error
    }
  }

  static async #startIn(directory: PrivateDirectory, spec: MachineSpec, qemu: readonly string[]): Promise<VM> {
    const signal = spec.signal ?? new AbortController().signal
    for (const [position, device] of spec.devices.entries()) {
      await device.prepare?.({ arch: spec.arch, machine: spec.machine, directory: directory.path, position, signal })
    }
    const sandbox = process.platform === 'linux'
    const line = buildCommandLine({ spec, qemu, directory: directory.path, wiring: 'inherited', sandbox })
    const description = describeSpec(spec, qemu, directory.path)
    const machine = await Machine.spawn(spec, line, description.commandLineQuoted)
    const vm = new VM({ spec, machine, directory, description })
    try {
      await machine.connect()
      await machine.attachDevices(vm, directory.path)
    } catch (error) {
      await vm.close()
      throw error
    }
    if (vm.#state === 'starting') vm.#state = 'running'
    return vm
  }

  get name(): string {
    return this.spec.name
  }

  /** Pid of QEMU. */
  get pid(): number {
    return this.#machine.pid
  }

  get state(): VMState {
    return this.#state
  }

  /** How long an `expect` waits by default, milliseconds, the multiplier applied. */
  get timeout(): number {
    return this.spec.timeoutMs * this.spec.timeoutMultiplier
  }

  /** The console’s text so far, escape codes removed; of a very long one the end. */
  get output(): string {
    return this.#console.text()
  }

  /** Ports of the host’s 127.0.0.1 that lead into the guest, as its devices opened them. */
  get portForwards(): readonly PortForward[] {
    return this.#machine.portForwards
  }

  /** What is being waited for right now, oldest first. */
  get pendingWaits(): Console['pendingWaits'] {
    return this.#console.pendingWaits
  }

  /**
   * Waits for the `ready` pattern within `bootTimeout`. The same promise each time.
   *
   * @throws OptionError `INVALID_OPTION` without `ready`
   * @throws ExpectError `BOOT_TIMEOUT`, `EXPECT_EXITED`, `EXPECT_ABORTED`
   */
  ready(): Promise<Match> {
    this.#ready ??= this.#waitUntilReady()
    return this.#ready
  }

  /**
   * Waits until the console prints the pattern behind everything matched before, and consumes it. Of several patterns
   * the earliest match wins, ties by order. Patterns see clean text: UTF-8, `\n` line ends, no escape codes.
   *
   * @throws ExpectError `EXPECT_TIMEOUT` (nothing is consumed), `EXPECT_EXITED`, `EXPECT_ABORTED`, `PATTERN_TOO_SLOW`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  expect(pattern: PatternInput, options: ExpectOptions = {}): Promise<Match> {
    return this.#console.expect(pattern, { ...options, ...this.#signalFor(options.signal) })
  }

  /** Looks for the pattern in everything printed so far: does not wait, does not consume. */
  hasPrinted(pattern: PatternInput): Match | undefined {
    return this.#console.hasPrinted(pattern)
  }

  /**
   * Types on the console. A terminal in line mode takes 4095 bytes a line.
   * @throws MachineError `MACHINE_EXITED` after the end
   */
  send(data: string | Uint8Array): void {
    this.#console.send(data)
  }

  /**
   * Waits for the machine’s own end: all output is read then. Does not end it.
   * @throws ExpectError `EXPECT_TIMEOUT` when `timeout` is given and passes, `EXPECT_ABORTED`
   */
  async wait(options: WaitOptions = {}): Promise<ExitStatus> {
    const { timeout } = options
    if (timeout !== undefined && !(Number.isFinite(timeout) && timeout > 0)) {
      throw new OptionError('INVALID_OPTION', `\`timeout\` must be a number of milliseconds above 0, and is ${timeout}`)
    }
    const limit = timeout === undefined ? undefined : AbortSignal.timeout(timeout * this.spec.timeoutMultiplier)
    const signals = [limit, options.signal, this.spec.signal].filter((signal) => signal !== undefined)
    return unlessAborted(this.#ended, AbortSignal.any(signals), (reason) => this.#waitError(reason))
  }

  /** Ends the machine and removes its files. Idempotent; the same result for every caller. */
  close(): Promise<ExitStatus> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #waitUntilReady(): Promise<Match> {
    const { ready, bootTimeoutMs } = this.spec
    if (ready === undefined) {
      throw new OptionError('INVALID_OPTION', `Machine “${this.name}” has no \`ready\` pattern to wait for`, {
        hint: 'Give `ready`: what the console prints when the machine is ready for a test.',
      })
    }
    try {
      return await this.expect(ready, { timeout: bootTimeoutMs })
    } catch (error) {
      if (!(error instanceof ExpectError) || error.code !== 'EXPECT_TIMEOUT') throw error
      const message = `The boot took too long (\`bootTimeout\`). ${error.shortMessage}`
      throw new ExpectError('BOOT_TIMEOUT', message, { cause: error, sections: error.sections })
    }
  }

  #describe(): ConsoleContext {
    const { arch } = this.spec
    const { consoleDevice } = ARCHITECTURES[arch]
    return { arch, consoleDevice, commandLine: this.commandLineQuoted, logFile: this.logFile }
  }

  /** The caller’s signal and the machine’s own. */
  #signalFor(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
    const signals = [signal, this.spec.signal].filter((one) => one !== undefined)
    return signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }
  }

  #waitError(reason: unknown): ExpectError {
    const timedOut = reason instanceof DOMException && reason.name === 'TimeoutError'
    const message = timedOut ? 'did not end in the time given' : 'had not ended when the wait was aborted'
    return new ExpectError(timedOut ? 'EXPECT_TIMEOUT' : 'EXPECT_ABORTED', `Machine “${this.name}” ${message}`, {
      cause: reason,
      hint: 'Shut the guest down first, or use `close()`, which ends the machine.',
      sections: {
        'End of the console': lastLines(this.output),
        'Command line': this.commandLineQuoted,
        Log: this.logFile,
      },
    })
  }

  async #end(): Promise<ExitStatus> {
    const status = await this.#machine.exited
    await this.#console.end(() => new MachineError('MACHINE_EXITED', describeExit(status)))
    this.#state = 'exited'
    return status
  }

  async #close(): Promise<ExitStatus> {
    await this.#machine.shutDown()
    const status = await this.#ended
    this.#transcript.close()
    await this.#directory.remove()
    this.#registration[Symbol.dispose]()
    return status
  }
}

async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  failure: (reason: unknown) => Error,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(failure(signal.reason))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function requirePlatform(): void {
  if (process.platform === 'linux' || process.platform === 'darwin') return
  throw new StartError(
    'UNSUPPORTED_PLATFORM',
    `Machines cannot be started on ${process.platform}: QEMU does not inherit sockets there`,
  )
}
