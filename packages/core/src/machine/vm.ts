/** Public API of a running VM. RunningMachine, Console and Guest do the work. */

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { PendingWait } from '../console/console.ts'
import type { ExpectOptions } from '../console/expect/expect-options.ts'
import type { Incident } from '../console/incident/incident.ts'
import type { Match, PatternInput } from '../console/match/pattern.ts'
import type { ConsoleTerminal } from '../console/terminal/terminal.ts'
import type { DoneEvent } from '../devices/channel.ts'
import type { PortForward } from '../devices/device.ts'
import { noteUse } from '../guest/agent/last-use.ts'
import type { CloudInitResult, WaitForCloudInitOptions } from '../guest/cloud-init/wait-for-cloud-init.ts'
import { type DuringOptions, during } from '../guest/during.ts'
import type { CoverageOptions } from '../guest/files/coverage.ts'
import type { FileOptions, ReadFileOptions, WriteFileOptions } from '../guest/files/file-options.ts'
import { readFile, writeFile } from '../guest/files/guest-files.ts'
import type { Guest } from '../guest/guest.ts'
import { type EventsOptions, guestEvents } from '../guest/guest-events.ts'
import { type LoginOptions, login } from '../guest/login.ts'
import { type PendingCall, PendingCalls } from '../guest/pending-calls.ts'
import type { CommandResult, OutputOf, RunOptions } from '../guest/run-options.ts'
import { type GuestTestRun, type RunTestsOptions, runTests } from '../guest/test-reports/run-tests.ts'
import { commandCondition, fileCondition, portCondition, unitCondition } from '../guest/wait-conditions.ts'
import { type Condition, type WaitUntilOptions, type WaitUntilResult, waitUntil } from '../guest/wait-until.ts'
import type { ExitStatus } from '../qemu/exit-status.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { type MachineSpec, resolveOptions } from '../spec/machine-spec.ts'
import type { Checkpoint } from './checkpoint.ts'
import { debugMachine } from './debug/debug-machine.ts'
import type { DebugOptions } from './debug/debug-session.ts'
import type { DumpOptions } from './debug/dump-memory.ts'
import { type Launched, unlessStartAborted } from './launch.ts'
import { perform } from './power/power-actions.ts'
import { cutPower } from './power/power-cut.ts'
import { attachScript } from './restore-attachment.ts'
import { RevertibleMachine } from './revertible-machine.ts'
import { type MachineState, RunningMachine } from './running-machine.ts'
import type { SaveOptions } from './save/save-machine.ts'
import { type KeptState, keepState, launchSnapshot, type Snapshot } from './save/snapshot.ts'
import { brandVM } from './vm-brand.ts'
import { type WaitForExitOptions, waitForExit } from './wait-for-exit.ts'

/** Parameters of {@link VM.restored}. */
export interface RestoredMachine {
  readonly spec: MachineSpec
  readonly launched: Launched
  /** Console output recorded in the save. */
  readonly console: Uint8Array
  /** Positions of the devices whose content differs from that of the saved machine. @default none */
  readonly changed?: readonly number[]
  /** Whether the guest stays stopped until a debugger resumes it. @default false */
  readonly gdb?: boolean
  /** Called when the devices are attached, before the guest runs. @default nothing */
  readonly onAttach?: ((vm: VM) => void) | undefined
}

/** A running virtual machine. `await using vm = await VM.start(options)` ends it with the block. */
export class VM implements AsyncDisposable {
  readonly #machine: RevertibleMachine
  readonly #calls = new PendingCalls()

  /**
   * @internal Use `VM.start` or `VM.boot`.
   * @param ready the match of the `ready` pattern in the console output recorded in the save, for a restored VM
   */
  constructor(running: RunningMachine, ready?: Match) {
    brandVM(this)
    this.#machine = new RevertibleMachine(this, running, ready)
  }

  /**
   * Boots a machine. Resolves when QEMU answers on QMP. Does not wait for the guest: see {@link ready}.
   *
   * @throws OptionError for invalid options, before anything is spawned
   * @throws StartError `QEMU_NOT_FOUND`, `QEMU_TOO_OLD`, `UNSUPPORTED_PLATFORM`; `START_FAILED` with the output of QEMU
   * @throws ExpectError `EXPECT_ABORTED` when `signal` aborts before QEMU answers
   */
  static async boot(options: MachineOptions): Promise<VM> {
    const running = await RunningMachine.spawn(resolveOptions(options))
    const vm = new VM(running)
    await running.begin(vm)
    return vm
  }

  /**
   * @internal Takes over a machine launched from a save: adds the recorded console output, attaches console and
   * devices, and resumes the guest. With `gdb`, starts the server for a debugger instead of resuming the guest.
   *
   * @throws MachineError `ATTACH_FAILED` when a device cannot be attached in the guest; ExpectError `EXPECT_ABORTED`
   */
  static async restored(restored: RestoredMachine): Promise<VM> {
    const { spec, launched, console, changed = [], gdb = false, onAttach } = restored
    const running = await RunningMachine.adopt(spec, launched, console)
    const vm = new VM(running, spec.ready === undefined ? undefined : running.console.hasPrinted(spec.ready))
    try {
      await unlessStartAborted(running.attach(vm), spec)
      onAttach?.(vm)
      if (gdb) await running.serveDebugger()
      else await unlessStartAborted(vm.#machine.resumeGuest(attachScript(spec, changed)), spec)
      return vm
    } catch (error) {
      await vm.close()
      throw error
    }
  }

  /** The complete, validated options. */
  get spec(): MachineSpec {
    return this.#running.spec
  }

  /** Program and arguments that start the same machine by hand, with the console on the terminal. */
  get commandLine(): readonly string[] {
    return this.#running.description.commandLine
  }

  /** {@link commandLine} as one line, quoted for a POSIX shell. */
  get commandLineQuoted(): string {
    return this.#running.description.commandLineQuoted
  }

  /**
   * Path of the console log, with every byte of the output. `close()` removes it unless the option `logFile` is set.
   */
  get logFile(): string {
    return this.#running.logFile
  }

  /** Path of the console log if the option `logFile` is set, so that `close()` keeps it. */
  get keptLog(): string | undefined {
    return this.#running.keptLog
  }

  get name(): string {
    return this.spec.name
  }

  /** Process id of QEMU. */
  get pid(): number {
    return this.#running.machine.pid
  }

  /** `off` between {@link powerCut} and {@link powerOn}. */
  get state(): MachineState {
    return this.#machine.state
  }

  /** Whether the CPUs are paused by {@link pause}. */
  get isPaused(): boolean {
    return this.#running.isPaused
  }

  /** Resolves when the machine has ended and all its output was read. Never rejects. */
  get ended(): Promise<ExitStatus> {
    return this.#machine.ended
  }

  /** Default timeout of `expect`, milliseconds, already multiplied by `timeoutMultiplier`. */
  get timeout(): number {
    return this.spec.timeoutMs * this.spec.timeoutMultiplier
  }

  /** The console output so far as clean text, or its end if it is very long. */
  get output(): string {
    return this.#running.console.text()
  }

  /** Ports on 127.0.0.1 of the host that are forwarded into the guest. */
  get portForwards(): readonly PortForward[] {
    return this.#running.machine.portForwards
  }

  /**
   * Guest failures so far, oldest first: panics, out-of-memory kills and others of `failOn`, also those it allows.
   */
  get incidents(): readonly Incident[] {
    return this.#running.console.incidents
  }

  /**
   * Calls `listener` for every later guest failure, allowed or not, until the result is disposed. Failures in the
   * last output of a machine are reported before {@link ended} settles.
   */
  onIncident(listener: (incident: Incident) => void): Disposable {
    return this.#machine.onIncident(listener)
  }

  /** Pending waits for console output, oldest first. */
  get pendingWaits(): readonly PendingWait[] {
    return this.#running.console.pendingWaits
  }

  /**
   * Waits for the `ready` pattern within `bootTimeout`. Returns the same promise each time, until a reset or a reboot
   * by the guest: it then waits for the next boot.
   *
   * @throws OptionError `INVALID_OPTION` without `ready`
   * @throws ExpectError `BOOT_TIMEOUT`, `EXPECT_EXITED`, `EXPECT_ABORTED`
   * @throws GuestError `GUEST_*` when the guest fails
   */
  ready(): Promise<Match> {
    return this.#machine.ready()
  }

  /**
   * Waits until the console prints the pattern after all earlier matches, and consumes the output up to the end of the
   * match. Of several patterns, the earliest match in the output wins; at the same position, the first pattern in the
   * list. By default, clean text is searched: UTF-8, `\n` line ends, no escape codes.
   *
   * @throws ExpectError `EXPECT_TIMEOUT` (nothing is consumed), `EXPECT_EXITED`, `EXPECT_ABORTED`, `PATTERN_TOO_SLOW`
   * @throws GuestError `GUEST_*` when the guest fails, for example by a panic: see the option `failOn`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  expect(pattern: PatternInput, options: ExpectOptions = {}): Promise<Match> {
    return this.#machine.expect(pattern, options)
  }

  /** Searches all output so far for the pattern. Does not wait, and consumes no output. */
  hasPrinted(pattern: PatternInput, options: Pick<ExpectOptions, 'view'> = {}): Match | undefined {
    return this.#running.console.hasPrinted(pattern, options)
  }

  /**
   * Sends input to the console. A terminal in canonical mode accepts 4095 bytes per line.
   * @throws MachineError `MACHINE_EXITED` when the machine has ended; OptionError `INVALID_OPTION` when `data` is
   * neither a string nor bytes
   */
  send(data: string | Uint8Array): void {
    noteUse('console')
    this.#running.console.send(data)
  }

  /**
   * The console as a terminal of 80 by 24 characters, or of the size in the option `terminal`: the visible text of
   * programs that draw with escape codes.
   */
  get terminal(): ConsoleTerminal {
    return this.#machine.terminal
  }

  /**
   * Waits until the machine has ended by itself and all its output was read. Does not end the machine.
   *
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   * @throws ExpectError `EXPECT_TIMEOUT` after `timeout`, `EXPECT_ABORTED`
   * @throws GuestError `GUEST_*` when the guest fails before the machine ends
   */
  async waitForExit(options: WaitForExitOptions = {}): Promise<ExitStatus> {
    return waitForExit(this.#running, this.ended, options)
  }

  /**
   * Connects the terminal of the test run with the console, until Ctrl-] is typed, the machine ends or its signal
   * aborts. The fixtures pause the timeout of the test during the session. Output of the session is consumed. With the
   * option `gdb`, the CPUs stop at the start of the session, and continue at its end unless they were paused before.
   *
   * @throws OptionError `NO_TERMINAL` without a terminal, such as in CI or in the background
   */
  async debug(options: DebugOptions = {}): Promise<void> {
    await debugMachine(this.#running, options)
  }

  /** Pending calls into the guest, oldest first. */
  get pendingCalls(): readonly PendingCall[] {
    return this.#calls.list
  }

  /**
   * Waits for the `ready` pattern if there is one, then runs a command in the guest with `sh -c` and waits for its end.
   *
   * Uses the agent in the guest if the machine has one, otherwise the shell on the serial console; `via` selects one of
   * them. On the console, commands run one after the other, and their output is consumed. The call does not wait for
   * processes that the command starts in the background.
   *
   * @param command a shell command, or a list of words, which are quoted
   * @throws GuestCommandError `COMMAND_FAILED` for an exit code other than 0, unless `check` is false;
   * `COMMAND_TIMEOUT` (the command was killed); `COMMAND_ABORTED`; `COMMAND_LOST` (the machine ended); `GUEST_*` (the
   * guest failed); `COMMAND_NOT_STARTED`, `SHELL_SILENT`, `COMMAND_GARBLED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  run<const Options extends RunOptions = Record<never, never>>(
    command: string | readonly string[],
    options?: Options,
  ): Promise<CommandResult<OutputOf<Options>>> {
    return this.#calls.track('run', command, () => this.#guest.run(command, options))
  }

  /**
   * Waits for the `ready` pattern if there is one, then logs in on the serial console and waits for a shell. The login
   * prompt may have been printed before the call. Afterwards, commands can run with `via: 'shell'`.
   *
   * @throws ExpectError `LOGIN_FAILED` (the login was refused, or no prompt was printed), `LOGIN_PASSWORD_EXPIRED`,
   * `EXPECT_EXITED`, `EXPECT_ABORTED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  login(options: LoginOptions = {}): Promise<void> {
    return this.#calls.track('login', undefined, () => login(this, this.#guest, options))
  }

  /**
   * Writes or replaces a file in the guest. Verifies its content by a checksum, or by its size if the guest has no tool
   * for checksums. Devices and files in `/proc` and `/sys` are not verified.
   *
   * @param path absolute; its directory must exist
   * @throws GuestFileError `GUEST_FILE_MISSING`, `GUEST_FILE_DENIED`, `GUEST_FILE_FAILED`, each with the guest's error;
   * the codes of {@link run} when the guest cannot be reached
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  writeFile(path: string, data: string | Uint8Array, options: WriteFileOptions = {}): Promise<void> {
    return this.#calls.track('writeFile', path, () => writeFile(this.#guest, path, data, options))
  }

  /**
   * Reads a file of the guest.
   *
   * @param path absolute
   * @throws GuestFileError as {@link writeFile}
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  readFile<const Options extends ReadFileOptions = Record<never, never>>(
    path: string,
    options: Options = {} as Options,
  ): Promise<OutputOf<Options>> {
    return this.#calls.track('readFile', path, () => readFile(this.#guest, path, options))
  }

  /**
   * Copies a file or a directory tree of the host into the guest: `guestPath` becomes a copy of `hostPath`. Existing
   * files are replaced, and other files in an existing directory stay. Permissions and symbolic links are kept, owners
   * are not; other file types are skipped. A file is verified as by {@link writeFile}. A tree needs `tar` in the guest,
   * and is verified if the guest has `sha256sum`.
   *
   * @param guestPath absolute; parent directories are created. If it ends with `/`, a file is copied into it
   * @throws GuestFileError as {@link writeFile}
   * @throws OptionError `FILE_MISSING` for `hostPath`; `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  copyIn(hostPath: string, guestPath: string, options: FileOptions = {}): Promise<void> {
    return this.#calls.track('copyIn', hostPath, async () =>
      (await import('../guest/files/guest-trees.ts')).copyIn(this.#guest, hostPath, guestPath, options),
    )
  }

  /**
   * Copies a file or a directory tree of the guest to the host. See {@link copyIn} for the rules. The content of a tree
   * is not verified, and its archive may have up to 256 MiB.
   *
   * @throws GuestFileError as {@link writeFile}
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  copyOut(guestPath: string, hostPath: string, options: FileOptions = {}): Promise<void> {
    return this.#calls.track('copyOut', guestPath, async () =>
      (await import('../guest/files/guest-trees.ts')).copyOut(this.#guest, guestPath, hostPath, options),
    )
  }

  /**
   * Copies coverage data of programs, or of the kernel, out of the guest.
   *
   * @returns paths of the copied files on the host
   * @throws GuestFileError `GUEST_FILE_MISSING` if there are none; others as {@link copyOut}
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  async collectCoverage(options: CoverageOptions): Promise<readonly string[]> {
    const { collectCoverage } = await import('../guest/files/coverage.ts')
    return this.#calls.track('collectCoverage', options?.from, () => collectCoverage(this.#guest, options))
  }

  /**
   * Waits until a command succeeds. A loop in the guest repeats the command, so a try needs no round trip. With
   * `via: 'shell'`, no other command can run meanwhile.
   *
   * @throws GuestCommandError `WAIT_TIMEOUT` with the time, the number of tries, and the exit code and output of the
   * last try; others as {@link run}
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  waitUntil(command: string | readonly string[], options: WaitUntilOptions = {}): Promise<WaitUntilResult> {
    return this.#wait('waitUntil', command, commandCondition, options)
  }

  /**
   * Waits until a program in the guest listens on a TCP port, at any address.
   * @throws GuestCommandError `WAIT_TIMEOUT` with the listening ports; OptionError
   */
  waitForPort(port: number, options: WaitUntilOptions = {}): Promise<WaitUntilResult> {
    return this.#wait('waitForPort', port, portCondition, options)
  }

  /**
   * Waits until a systemd unit is active. Rejects early when the unit fails.
   * @throws GuestCommandError `WAIT_TIMEOUT` with the status of the unit and the end of its journal; OptionError
   */
  waitForUnit(name: string, options: WaitUntilOptions = {}): Promise<WaitUntilResult> {
    return this.#wait('waitForUnit', name, unitCondition, options)
  }

  /**
   * Waits until a path exists in the guest.
   * @throws GuestCommandError `WAIT_TIMEOUT` with the content of the nearest directory; OptionError
   */
  waitForFile(path: string, options: WaitUntilOptions = {}): Promise<WaitUntilResult> {
    return this.#wait('waitForFile', path, fileCondition, options)
  }

  /**
   * Waits until cloud-init has applied its configuration, for example that of the device `cloudInit`.
   *
   * @throws CloudInitError `CLOUD_INIT_FAILED` with the failed modules and their part of the log
   * @throws GuestCommandError `WAIT_TIMEOUT`, at once when cloud-init is missing or disabled; others as {@link run}
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  waitForCloudInit(options: WaitForCloudInitOptions = {}): Promise<CloudInitResult> {
    return this.#calls.track('waitForCloudInit', undefined, async () => {
      const { waitForCloudInit } = await import('../guest/cloud-init/wait-for-cloud-init.ts')
      const hasSeed = this.spec.devices.some(({ name }) => name === 'cloudInit')
      return waitForCloudInit(this.#guest, hasSeed, options)
    })
  }

  /**
   * Runs `body` and checks an invariant repeatedly meanwhile, for example that a service stays active during an
   * upgrade. The invariant is also checked before and after `body`. Rejects at once when it rejects or returns false.
   *
   * @param body its signal aborts when the invariant fails
   * @throws ExpectError `INVARIANT_FAILED` with the reason; the error of `body`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  during<Result>(
    invariant: () => unknown,
    body: (signal: AbortSignal) => Promise<Result> | Result,
    options: DuringOptions = {},
  ): Promise<Result> {
    return this.#calls.track('during', undefined, () => during(this, invariant, body, options))
  }

  /**
   * Runs tests in the guest and returns each test case of their report.
   *
   * @throws GuestTestsError `TESTS_FAILED` with each failed test and its log, unless `check` is false
   * @throws GuestCommandError `TESTS_UNREADABLE` when there is no report; others as {@link run} except `COMMAND_FAILED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  runTests(command: string | readonly string[], options: RunTestsOptions): Promise<GuestTestRun> {
    return this.#calls.track('runTests', command, () => runTests(this.#guest, command, options))
  }

  /**
   * Iterates over the events that a program in the guest sends over `channel(name)`: one JSON value per line, the last
   * one `{"event":"done"}`. If a test leaves the loop early, a later call continues with the next event.
   *
   * @throws ExpectError `EVENT_INVALID` for an event that the schema rejects; `CHANNEL_ENDED` when the machine ends
   * before the last event; `CHANNEL_GARBLED`, `EXPECT_ABORTED`
   * @throws GuestError `GUEST_*` when the guest fails before the last event
   * @throws OptionError `INVALID_OPTION` when the machine has no such channel
   */
  events<const Schema extends StandardSchemaV1 = StandardSchemaV1>(
    name: string,
    options: EventsOptions<Schema> = {},
  ): AsyncGenerator<StandardSchemaV1.InferOutput<Schema>, DoneEvent> {
    return guestEvents(this, this.#guest, name, options)
  }

  /**
   * Saves the current state of the machine to one file: memory, devices, disk overlays, console, and everything needed
   * to start it. `VM.resume` and `npx coldboot resume` continue from the file, even on another host. The guest is
   * paused only at the end of the save, or during all of it with `goOn: false`.
   *
   * The file contains the whole memory of the guest, including secrets.
   *
   * @param file path; the file is created atomically
   * @throws MachineError `MACHINE_UNSAVABLE` with the reason; `SAVE_ABANDONED` beyond `maxBytes` or `timeout`;
   * `MACHINE_EXITED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`; the system's error when the file cannot be written
   */
  save(file: string, options: SaveOptions = {}): Promise<void> {
    return this.#calls.track('save', file, async () =>
      (await import('./save/save-machine.ts')).saveMachine(this.#running, this.#guest, file, options),
    )
  }

  /**
   * Writes the memory and the registers of the guest to a file, for crash, drgn or gdb. The guest is stopped meanwhile.
   * The option `vmcore` writes such a file when the kernel panics.
   *
   * @param file path; the file is replaced, and only this user can read it
   * @throws MachineError `DUMP_FAILED` with the reason, `MACHINE_EXITED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  async dumpMemory(file: string, options: DumpOptions = {}): Promise<void> {
    const { dumpMemory } = await import('./debug/dump-memory.ts')
    await this.#calls.track('dumpMemory', file, () => dumpMemory(this.#running, file, options))
  }

  /**
   * Saves the current state of the machine, which then continues. {@link revert} returns to this state, and
   * `checkpoint.start()` starts other machines from it. The fixtures remove the checkpoint at the end of the test;
   * without them, call `checkpoint.remove()`.
   *
   * @throws MachineError `MACHINE_UNSAVABLE` with the reason, `MACHINE_EXITED`; `ATTACH_FAILED` when a shared directory
   * is in use
   */
  checkpoint(): Promise<Checkpoint> {
    return this.#calls.track('checkpoint', undefined, () =>
      this.#machine.checkpoint((spec, snapshot) => VM.#startAt(spec, snapshot)),
    )
  }

  /**
   * @internal The last part of the journal of this boot, up to `maxBytes`. Undefined if the guest has no systemd or
   * does not answer. Works after the signal of the machine has aborted. @throws Error with the reason when it cannot be
   * read
   */
  async readJournal(maxBytes: number): Promise<string | undefined> {
    const { readJournal } = await import('../guest/journal.ts')
    return readJournal(this, this.#guest, maxBytes)
  }

  /** @internal Writes the current state to a folder, for a template. The machine stays stopped. */
  keepState(directory: string): Promise<KeptState> {
    return keepState(this.#running, this.#guest, { directory, goOn: false })
  }

  /** Checkpoints of the machine, oldest first. */
  get checkpoints(): readonly Checkpoint[] {
    return this.#machine.checkpoints
  }

  /**
   * Returns to a checkpoint of this machine: memory, disks, console. This object and its devices stay valid, but QEMU
   * is a new process. Pending waits and calls are rejected as if the machine had ended. The clock of the guest is set,
   * entropy is added, and forwarded ports get new numbers. Cables and shared directories keep their current state.
   *
   * @throws OptionError `CHECKPOINT_GONE` if the checkpoint was removed or belongs to another machine
   * @throws StartError, MachineError when it cannot be restored; the machine has ended then
   */
  async revert(checkpoint: Checkpoint): Promise<void> {
    await this.#machine.revert(checkpoint)
  }

  /**
   * Presses the power button (ACPI) and returns without waiting. The guest decides what to do: systemd and `acpid`
   * power off. {@link waitForExit} waits for the end. @throws MachineError `MACHINE_EXITED`
   */
  powerButton(): Promise<void> {
    return perform(this.#running, 'button')
  }

  /**
   * Presses the reset button: the machine boots again, without a shutdown of the guest, also if `allowReboot` is false.
   * {@link ready} then waits for the next boot. @throws MachineError `MACHINE_EXITED`
   */
  reset(): Promise<void> {
    return this.#machine.reset()
  }

  /** Pauses the CPUs, until {@link unpause}. The clock of the guest stops too. @throws MachineError `MACHINE_EXITED` */
  pause(): Promise<void> {
    return perform(this.#running, 'pause')
  }

  /** Continues the CPUs after {@link pause}. @throws MachineError `MACHINE_EXITED` */
  unpause(): Promise<void> {
    return perform(this.#running, 'unpause')
  }

  /** Sends a non-maskable interrupt. @throws MachineError `MACHINE_EXITED`; `QMP_FAILED` if the machine has none */
  nmi(): Promise<void> {
    return perform(this.#running, 'nmi')
  }

  /**
   * Cuts the power: QEMU is killed. The disks keep all data that the guest had written and flushed. Writes that were
   * not flushed may be lost, and the memory is lost. Pending waits and calls are rejected. {@link powerOn} boots the
   * machine again. @throws MachineError `MACHINE_EXITED`
   */
  powerCut(): Promise<void> {
    return cutPower(this.#running)
  }

  /**
   * Boots the machine again after {@link powerCut}, with the same disks. Resolves when QEMU answers; {@link ready}
   * waits for the guest. Checkpoints stay valid; forwarded ports get new numbers.
   *
   * @throws MachineError `MACHINE_POWERED` without a power cut, `MACHINE_EXITED` after `close()`; StartError `START_FAILED`
   */
  powerOn(): Promise<void> {
    return this.#machine.powerOn()
  }

  static async #startAt(spec: MachineSpec, snapshot: Snapshot): Promise<VM> {
    for (const device of spec.devices) device.requireFree?.()
    const launched = await launchSnapshot(spec, snapshot)
    return VM.restored({ spec: launched.spec, launched, console: snapshot.console })
  }

  /**
   * Command that connects gdb to the guest, for a POSIX shell. If the kernel is in its build tree, the command also
   * loads `vmlinux`. Undefined without the option `gdb`, a resume for a debugger, or `debug({ gdb: true })`.
   */
  get gdb(): string | undefined {
    return this.#running.gdb?.command
  }

  /** Path of the socket for gdb's `target remote`; undefined without {@link gdb}. */
  get gdbSocket(): string | undefined {
    return this.#running.gdb?.socket
  }

  /** Ends the machine and removes its temporary files. All calls return the same status. */
  close(): Promise<ExitStatus> {
    return this.#machine.close()
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
    return this.#calls.track(method, subject, () => waitUntil(this.#guest, method, condition, subject, options))
  }

  get #running(): RunningMachine {
    return this.#machine.running
  }

  get #guest(): Guest {
    return this.#machine.guest
  }
}
