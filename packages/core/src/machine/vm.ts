/** Public API of a running VM. Delegates to RunningMachine, Console and Guest. */

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { PendingWait } from '../console/console.ts'
import type { ExpectOptions } from '../console/expect/expect-options.ts'
import { lastLines } from '../console/failure/last-lines.ts'
import type { Incident } from '../console/incident/incident.ts'
import type { Match, PatternInput } from '../console/match/pattern.ts'
import type { DoneEvent } from '../devices/channel.ts'
import type { PortForward } from '../devices/device.ts'
import { ERROR_CODES, ExpectError, GuestError, OptionError } from '../errors.ts'
import {
  checkFileData,
  checkFileOptions,
  checkGuestPath,
  checkReadOptions,
  checkWriteOptions,
  type FileOptions,
  type ReadFileOptions,
  type WriteFileOptions,
} from '../guest/files/file-options.ts'
import { readGuestFile, writeGuestFile } from '../guest/files/guest-files.ts'
import { copyIn, copyOut } from '../guest/files/guest-trees.ts'
import type { Guest } from '../guest/guest.ts'
import { decodeOutput } from '../guest/guest.ts'
import { type EventsOptions, guestEvents } from '../guest/guest-events.ts'
import { type LoginOptions, login } from '../guest/login.ts'
import { type PendingCall, PendingCalls } from '../guest/pending-calls.ts'
import type { CommandResult, OutputOf, RunOptions } from '../guest/run-options.ts'
import { type GuestTestRun, type RunTestsOptions, runTests } from '../guest/test-reports/run-tests.ts'
import { commandCondition, fileCondition, portCondition, unitCondition } from '../guest/wait-conditions.ts'
import {
  type Condition,
  checkWaitOptions,
  type WaitUntilOptions,
  type WaitUntilResult,
  waitUntil,
} from '../guest/wait-until.ts'
import { LONGEST_TIMER } from '../host/clock.ts'
import { unlessAborted } from '../host/unless-aborted.ts'
import { type CheckTable, checkTable, isDuration, isSignal } from '../options/checked-options.ts'
import type { ExitStatus } from '../qemu/exit-status.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { type MachineSpec, resolveOptions } from '../spec/machine-spec.ts'
import { type DebugOptions, debugSession } from './debug-session.ts'
import type { Launched } from './launch.ts'
import { makeGuest } from './make-guest.ts'
import { attachScript, runAgentScript } from './restore-attachment.ts'
import { type MachineState, RunningMachine } from './running-machine.ts'
import { checkSaveOptions, type SaveOptions, saveMachine } from './save/save-machine.ts'
import { brandVM } from './vm-brand.ts'

/** What {@link VM.restored} takes over. */
export interface RestoredMachine {
  readonly spec: MachineSpec
  readonly launched: Launched
  /** What its console had printed. */
  readonly console: Uint8Array
  /** Positions of the devices whose content is not the saved machine's. @default none */
  readonly changed?: readonly number[]
  /** Whether the guest stays stopped and a debugger may connect. @default false */
  readonly gdb?: boolean
}

/** Options of {@link VM.waitForExit}. */
export interface WaitForExitOptions {
  /** Longest wait, milliseconds, before the multiplier. @default none: as long as it takes */
  readonly timeout?: number
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal
}

const WAIT_CHECKS: CheckTable<Required<WaitForExitOptions>> = { timeout: isDuration, signal: isSignal }

/** A running virtual machine. `await using vm = await VM.start(options)` ends it with the block. */
export class VM implements AsyncDisposable {
  readonly #running: RunningMachine
  readonly #guest: Guest
  readonly #calls = new PendingCalls()
  #ready: Promise<Match> | undefined

  /**
   * @internal Use `VM.start` or `VM.boot`.
   * @param ready what `ready` matched in an earlier life, of a machine that begins in readiness
   */
  constructor(running: RunningMachine, ready?: Match) {
    brandVM(this)
    this.#running = running
    this.#ready = ready && Promise.resolve(ready)
    this.#guest = makeGuest({ vm: this, running, ready: () => this.ready() })
  }

  /**
   * Starts a machine; resolves when QEMU serves its control channel, without waiting for the guest (see {@link ready}).
   *
   * @throws OptionError before anything is spawned, for everything that is wrong with the options
   * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`; `START_FAILED` with what QEMU printed
   * @throws ExpectError `EXPECT_ABORTED` when `signal` aborts before QEMU serves its control channel
   */
  static async boot(options: MachineOptions): Promise<VM> {
    const running = await RunningMachine.spawn(resolveOptions(options))
    const vm = new VM(running)
    await running.begin(vm)
    return vm
  }

  /**
   * @internal Takes over a machine that was launched from a save, and lets it go on: console and devices attached, its
   * earlier output recalled.
   *
   * @throws MachineError `ATTACH_FAILED` when the guest cannot have a device that is attached after the restore
   */
  static async restored({ spec, launched, console, changed = [], gdb = false }: RestoredMachine): Promise<VM> {
    const running = await RunningMachine.adopt(spec, launched, console)
    const vm = new VM(running, spec.ready === undefined ? undefined : running.console.hasPrinted(spec.ready))
    try {
      await running.attach(vm)
      if (gdb) await running.serveDebugger()
      else await vm.#goOn(attachScript(spec, changed))
      return vm
    } catch (error) {
      await vm.close()
      throw error
    }
  }

  /** @internal Tells a guest that goes on from a save what the time is, and gives it randomness, if it has an agent. */
  resync(): Promise<void> {
    return this.#guest.resync()
  }

  /** Complete and checked, as it was started. */
  get spec(): MachineSpec {
    return this.#running.spec
  }

  /** Arguments that start the same machine from a person's shell, console on the terminal. */
  get commandLine(): readonly string[] {
    return this.#running.description.commandLine
  }

  /** The same as one line for a POSIX shell. */
  get commandLineQuoted(): string {
    return this.#running.description.commandLineQuoted
  }

  /** Path of the console log: every byte as it came. Removed by `close()` unless `logFile` was given. */
  get logFile(): string {
    return this.#running.logFile
  }

  /** The same where `logFile` was given, and `close()` leaves it there. */
  get keptLog(): string | undefined {
    return this.#running.keptLog
  }

  get name(): string {
    return this.spec.name
  }

  /** Pid of QEMU. */
  get pid(): number {
    return this.#running.machine.pid
  }

  get state(): MachineState {
    return this.#running.state
  }

  /** Settles when the machine is gone and all its output was read; never rejects, whatever the signal. */
  get ended(): Promise<ExitStatus> {
    return this.#running.ended
  }

  /** How long an `expect` waits by default, milliseconds, the multiplier applied. */
  get timeout(): number {
    return this.spec.timeoutMs * this.spec.timeoutMultiplier
  }

  /** The console's text so far, escape codes removed; of a very long one the end. */
  get output(): string {
    return this.#running.console.text()
  }

  /** Ports of the host's 127.0.0.1 that lead into the guest, as its devices opened them. */
  get portForwards(): readonly PortForward[] {
    return this.#running.machine.portForwards
  }

  /** What the guest did that no test survives, oldest first: panics, kills for want of memory, …; also what is allowed. */
  get incidents(): readonly Incident[] {
    return this.#running.console.incidents
  }

  /**
   * Calls back at every incident from now on, allowed or not, until the result is disposed. Those that a machine's last
   * words tell of come before {@link ended} settles.
   */
  onIncident(listener: (incident: Incident) => void): Disposable {
    return this.#running.onIncident(listener)
  }

  /** What is being waited for right now, oldest first. */
  get pendingWaits(): readonly PendingWait[] {
    return this.#running.console.pendingWaits
  }

  /**
   * Waits for the `ready` pattern within `bootTimeout`. The same promise each time.
   *
   * @throws OptionError `INVALID_OPTION` without `ready`
   * @throws ExpectError `BOOT_TIMEOUT`, `EXPECT_EXITED`, `EXPECT_ABORTED`
   * @throws GuestError `GUEST_*` when the guest fails on the way
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
   * @throws GuestError `GUEST_*` when the guest panics, runs out of memory, …: see the option `failOn`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  expect(pattern: PatternInput, options: ExpectOptions = {}): Promise<Match> {
    return this.#running.console.expect(pattern, { ...options, ...this.#signalFor(options.signal) })
  }

  /** Looks for the pattern in everything printed so far: does not wait, does not consume. */
  hasPrinted(pattern: PatternInput, options: Pick<ExpectOptions, 'view'> = {}): Match | undefined {
    return this.#running.console.hasPrinted(pattern, options)
  }

  /**
   * Types on the console. A terminal in line mode takes 4095 bytes a line.
   * @throws MachineError `MACHINE_EXITED` after the end; OptionError `INVALID_OPTION` for what is neither text nor bytes
   */
  send(data: string | Uint8Array): void {
    this.#running.console.send(data)
  }

  /**
   * Waits for the machine's own end: all output is read then. Does not end it.
   *
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   * @throws ExpectError `EXPECT_TIMEOUT` when `timeout` is given and passes, `EXPECT_ABORTED`
   * @throws GuestError `GUEST_*` when the guest fails and the machine does not end by that
   */
  async waitForExit(options: WaitForExitOptions = {}): Promise<ExitStatus> {
    checkTable('waitForExit', options, WAIT_CHECKS)
    const { timeout } = options
    const limit = timeout === undefined ? undefined : timeLimit(timeout * this.spec.timeoutMultiplier)
    const signals = [limit, options.signal, this.spec.signal].filter((signal) => signal !== undefined)
    const { ended, failed } = this.#running
    const end = Promise.race([ended, failed.then((incident) => Promise.reject(this.#guestError(incident)))])
    return unlessAborted(end, AbortSignal.any(signals), (reason) => this.#waitError(reason))
  }

  /**
   * Gives the terminal to the console: who runs the test types there and reads what it prints, until Ctrl-], the end of the
   * machine or the abort of its signal. The fixtures hold the test's clock meanwhile. What was printed is consumed then.
   *
   * @throws OptionError `NO_TERMINAL` in CI, in the background, and wherever nobody sits
   */
  async debug(options: DebugOptions = {}): Promise<void> {
    const { name, signal, aroundDebug } = this.spec
    const { console, ended } = this.#running
    await aroundDebug(() => debugSession({ name, console, ended }, { signal, ...options }))
  }

  /** What is being done in the guest right now at the request of a test, oldest first. */
  get pendingCalls(): readonly PendingCall[] {
    return this.#calls.list
  }

  /**
   * Runs a command in the guest, as `sh -c` does, and waits for its end. With `ready`, waits for that first.
   *
   * The transports, the best that the machine has unless `via` says which: an agent in the guest; else the shell on the serial
   * console. Over the console, commands run one after the other, and the cursor of `expect` is then behind them. What the
   * command leaves running in the background is not waited for.
   *
   * @param command for a shell, or a list of words, which are quoted
   * @throws GuestCommandError `COMMAND_FAILED` for an exit code other than 0, unless `check` is false; `COMMAND_TIMEOUT`:
   * it was ended; `COMMAND_ABORTED`; `COMMAND_LOST`: the machine ended; `GUEST_*`: the guest failed; `COMMAND_NOT_STARTED`;
   * `SHELL_SILENT`, `COMMAND_GARBLED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  run<const Options extends RunOptions = Record<never, never>>(
    command: string | readonly string[],
    options?: Options,
  ): Promise<CommandResult<OutputOf<Options>>> {
    return this.#calls.track('run', command, () => this.#guest.run(command, options))
  }

  /**
   * Logs in on the serial console, whether its login prompt is there or yet to come, and waits for a shell. Afterwards
   * commands can be run there by way of the `shell`. With `ready`, waits for that first.
   *
   * @throws ExpectError `LOGIN_FAILED`: it was refused, or no prompt came; `LOGIN_PASSWORD_EXPIRED`; `EXPECT_EXITED`,
   * `EXPECT_ABORTED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  login(options: LoginOptions = {}): Promise<void> {
    return this.#calls.track('login', undefined, () => login(this, this.#guest, options))
  }

  /**
   * Writes a file in the guest, whole, over one that is there. What arrives is compared with what was sent.
   *
   * @param path absolute; its directory must be there
   * @throws GuestFileError `GUEST_FILE_MISSING`, `GUEST_FILE_DENIED`, `GUEST_FILE_FAILED`, each with the guest's reason;
   * the codes of {@link run} where it could not be asked
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  writeFile(path: string, data: string | Uint8Array, options: WriteFileOptions = {}): Promise<void> {
    return this.#calls.track('writeFile', path, async () => {
      checkGuestPath('writeFile', path)
      checkFileData('writeFile', data)
      checkWriteOptions(options)
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      await writeGuestFile(this.#guest, path, bytes, options.mode, options)
    })
  }

  /**
   * Reads a file of the guest, whole.
   *
   * @param path absolute
   * @throws GuestFileError as {@link writeFile}
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  readFile<const Options extends ReadFileOptions = Record<never, never>>(
    path: string,
    options: Options = {} as Options,
  ): Promise<OutputOf<Options>> {
    return this.#calls.track('readFile', path, async () => {
      checkGuestPath('readFile', path)
      checkReadOptions(options)
      const bytes = await readGuestFile(this.#guest, path, options)
      return decodeOutput(bytes, options.encoding) as OutputOf<Options>
    })
  }

  /**
   * Copies a file or a directory tree of the host into the guest: `guestPath` becomes a copy of `hostPath`, over what is
   * there. Permissions and symbolic links are kept, owners are not; what is neither file, directory nor link stays behind.
   * Each file is compared. Needs `tar` for a tree.
   *
   * @param guestPath absolute; the directories above are made. With a `/` at the end: a directory for the file
   * @throws GuestFileError as {@link writeFile}
   * @throws OptionError `FILE_MISSING` for `hostPath`; `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  copyIn(hostPath: string, guestPath: string, options: FileOptions = {}): Promise<void> {
    return this.#calls.track('copyIn', hostPath, async () => {
      checkGuestPath('copyIn', guestPath)
      checkFileOptions('copyIn', options)
      await copyIn(this.#guest, hostPath, guestPath, options)
    })
  }

  /**
   * Copies a file or a directory tree of the guest to the host, as {@link copyIn} does the other way round. A tree may have
   * 256 MiB.
   *
   * @throws GuestFileError as {@link writeFile}
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  copyOut(guestPath: string, hostPath: string, options: FileOptions = {}): Promise<void> {
    return this.#calls.track('copyOut', guestPath, async () => {
      checkGuestPath('copyOut', guestPath)
      checkFileOptions('copyOut', options)
      await copyOut(this.#guest, guestPath, hostPath, options)
    })
  }

  /**
   * Waits until a command succeeds. It is tried again and again in the guest, without a round trip for each try; by way of
   * the `shell`, nothing else is run meanwhile.
   *
   * @throws GuestCommandError `WAIT_TIMEOUT` with the time, the count, and the last try's exit code and output; others as
   * {@link run}
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  waitUntil(command: string | readonly string[], options: WaitUntilOptions = {}): Promise<WaitUntilResult> {
    return this.#wait('waitUntil', command, commandCondition, options)
  }

  /**
   * Waits until a TCP port of the guest is listened on, at any address.
   * @throws GuestCommandError `WAIT_TIMEOUT` with the ports that are; OptionError
   */
  waitForPort(port: number, options: WaitUntilOptions = {}): Promise<WaitUntilResult> {
    return this.#wait('waitForPort', port, portCondition, options)
  }

  /**
   * Waits until a unit of systemd is active, and no longer once it has failed.
   * @throws GuestCommandError `WAIT_TIMEOUT` with its status and the end of its journal; OptionError
   */
  waitForUnit(name: string, options: WaitUntilOptions = {}): Promise<WaitUntilResult> {
    return this.#wait('waitForUnit', name, unitCondition, options)
  }

  /**
   * Waits until there is something at a path.
   * @throws GuestCommandError `WAIT_TIMEOUT` with what is in the nearest directory; OptionError
   */
  waitForFile(path: string, options: WaitUntilOptions = {}): Promise<WaitUntilResult> {
    return this.#wait('waitForFile', path, fileCondition, options)
  }

  /**
   * Runs tests in the guest and returns each test case of their report.
   *
   * @throws GuestTestsError `TESTS_FAILED` when not all is well, with each failed test and its log, unless `check` is false
   * @throws GuestCommandError `TESTS_UNREADABLE` when there is no report; others as {@link run}, but not `COMMAND_FAILED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  runTests(command: string | readonly string[], options: RunTestsOptions): Promise<GuestTestRun> {
    return this.#calls.track('runTests', command, () => runTests(this.#guest, command, options))
  }

  /**
   * The events that a program in the guest sends over the machine's `channel(name)`: JSON values, one a line, the last one
   * `{"event":"done"}`. Can be left and asked for again: no event is lost.
   *
   * @throws ExpectError `EVENT_INVALID` for one that the schema refuses; `CHANNEL_ENDED` when the machine ended before the
   * last one; `CHANNEL_GARBLED`, `EXPECT_ABORTED`
   * @throws GuestError `GUEST_*` when the guest failed before the last one
   * @throws OptionError `INVALID_OPTION` for a channel the machine does not have
   */
  events<const Schema extends StandardSchemaV1 = StandardSchemaV1>(
    name: string,
    options: EventsOptions<Schema> = {},
  ): AsyncGenerator<StandardSchemaV1.InferOutput<Schema>, DoneEvent> {
    return guestEvents(this, this.#guest, name, options)
  }

  /**
   * Saves the machine, as it is now, into one file: memory, devices, disk overlays, console, and what is needed to start
   * it. `VM.resume` and `npx coldboot resume` go on from it, also on another host. The guest is stopped meanwhile.
   *
   * The file has all that is in the guest's memory, secrets too.
   *
   * @param file is there whole or not at all
   * @throws MachineError `MACHINE_UNSAVABLE` with the reason; `SAVE_ABANDONED` beyond the limits; `MACHINE_EXITED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`; the system's error when the file cannot be written
   */
  save(file: string, options: SaveOptions = {}): Promise<void> {
    return this.#calls.track('save', file, async () => {
      checkSaveOptions(options)
      await saveMachine(this.#running, this.#guest, file, options)
    })
  }

  /** Path of the socket that gdb connects to, with `target remote`; undefined unless the machine was resumed for that. */
  get gdbSocket(): string | undefined {
    return this.#running.gdbSocket
  }

  /** Ends the machine and removes its files. Idempotent; the same result for every caller. */
  close(): Promise<ExitStatus> {
    return this.#running.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #wait<T>(
    method: string,
    subject: T,
    condition: (subject: T) => Condition,
    options: WaitUntilOptions,
  ): Promise<WaitUntilResult> {
    return this.#calls.track(method, subject, async () => {
      checkWaitOptions(method, options)
      return waitUntil(this.#guest, condition(subject), options)
    })
  }

  async #goOn(script: string): Promise<void> {
    await this.#running.machine.qmp.execute('cont')
    await this.#guest.resync()
    await runAgentScript(this, script)
  }

  async #waitUntilReady(): Promise<Match> {
    const { ready, bootTimeoutMs } = this.spec
    if (ready === undefined) {
      throw new OptionError('INVALID_OPTION', `Machine "${this.name}" has no \`ready\` pattern to wait for`, {
        hint: 'Set `ready` to a pattern that the console prints when the machine is ready for a test.',
      })
    }
    try {
      return await this.expect(ready, { timeout: bootTimeoutMs })
    } catch (error) {
      if (!(error instanceof ExpectError) || error.code !== 'EXPECT_TIMEOUT') throw error
      const message = `The boot took too long (\`bootTimeout\`). ${error.shortMessage}`
      // What the console tells of the cause is worth more than what may be said of any boot.
      const hint = error.hint === ERROR_CODES.EXPECT_TIMEOUT ? {} : { hint: error.hint }
      throw new ExpectError('BOOT_TIMEOUT', message, { ...hint, cause: error, sections: error.sections })
    }
  }

  /** The caller's signal and the machine's own. */
  #signalFor(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
    // What is no signal is for the check of the options to name.
    if (signal !== undefined && !(signal instanceof AbortSignal)) return { signal }
    const signals = [signal, this.spec.signal].filter((one) => one !== undefined)
    return signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }
  }

  #guestError(incident: Incident): GuestError {
    const what = `Machine "${this.name}" failed during \`waitForExit()\`: ${incident.message}`
    return new GuestError(incident.code, what, {
      sections: {
        'What the guest said': incident.excerpt,
        'Command line': this.commandLineQuoted,
        Log: this.keptLog,
      },
    })
  }

  #waitError(reason: unknown): ExpectError {
    const timedOut = reason instanceof DOMException && reason.name === 'TimeoutError'
    const message = timedOut ? 'did not end in time' : 'had not ended when the wait was aborted'
    return new ExpectError(timedOut ? 'EXPECT_TIMEOUT' : 'EXPECT_ABORTED', `Machine "${this.name}" ${message}`, {
      cause: reason,
      hint: 'Shut the guest down before `waitForExit()`, or use `close()`, which ends the machine.',
      sections: {
        'End of the console': lastLines(this.output),
        'Command line': this.commandLineQuoted,
        Log: this.keptLog,
      },
    })
  }
}

function timeLimit(milliseconds: number): AbortSignal {
  return AbortSignal.timeout(Math.ceil(Math.min(milliseconds, LONGEST_TIMER)))
}
