/** The part of a machine’s face that is about its inside. The work is in the modules beside it. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ExpectOptions } from '../console/expect/expect-options.ts'
import type { Match, PatternInput } from '../console/match/pattern.ts'
import type { DoneEvent } from '../devices/channel.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import {
  checkFileData,
  checkFileOptions,
  checkGuestPath,
  checkReadOptions,
  checkWriteOptions,
  type FileOptions,
  type ReadFileOptions,
  type WriteFileOptions,
} from './files/file-options.ts'
import { readGuestFile, writeGuestFile } from './files/guest-files.ts'
import { copyIn, copyOut } from './files/guest-trees.ts'
import { decodeOutput, type Guest } from './guest.ts'
import { type EventsOptions, guestEvents } from './guest-events.ts'
import { type LoginOptions, login } from './login.ts'
import { type PendingCall, PendingCalls } from './pending-calls.ts'
import type { CommandResult, OutputOf, RunOptions } from './run-options.ts'
import { type GuestTestRun, type RunTestsOptions, runTests } from './test-reports/run-tests.ts'
import { commandCondition, fileCondition, portCondition, unitCondition } from './wait-conditions.ts'
import {
  type Condition,
  checkWaitOptions,
  type WaitUntilOptions,
  type WaitUntilResult,
  waitUntil,
} from './wait-until.ts'

/** What `VM` offers of its guest. */
export abstract class GuestFace {
  /** The inside of this machine. */
  protected abstract readonly guest: Guest
  readonly #calls = new PendingCalls()

  /** Complete and checked, as it was started. */
  abstract get spec(): MachineSpec

  /** The console’s text so far, escape codes removed; of a very long one the end. */
  abstract get output(): string

  /** What is being done in the guest right now at the request of a test, oldest first. */
  get pendingCalls(): readonly PendingCall[] {
    return this.#calls.list
  }

  /** See `VM.expect`. */
  abstract expect(pattern: PatternInput, options?: ExpectOptions): Promise<Match>

  /** See `VM.send`. */
  abstract send(data: string | Uint8Array): void

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
    return this.#calls.track('run', command, () => this.guest.run(command, options))
  }

  /**
   * Logs in on the serial console, whether its login prompt is there or yet to come, and waits for a shell. Afterwards
   * commands can be run there by way of the `shell`. With `ready`, waits for that first.
   *
   * @throws ExpectError `LOGIN_FAILED`: it was refused, or no prompt came; `EXPECT_EXITED`, `EXPECT_ABORTED`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  login(options: LoginOptions = {}): Promise<void> {
    return this.#calls.track('login', undefined, () => login(this, this.guest, options))
  }

  /**
   * Writes a file in the guest, whole, over one that is there. What arrives is compared with what was sent.
   *
   * @param path absolute; its directory must be there
   * @throws GuestFileError `GUEST_FILE_MISSING`, `GUEST_FILE_DENIED`, `GUEST_FILE_FAILED`, each with the guest’s reason;
   * the codes of {@link run} where it could not be asked
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  writeFile(path: string, data: string | Uint8Array, options: WriteFileOptions = {}): Promise<void> {
    return this.#calls.track('writeFile', path, async () => {
      checkGuestPath('writeFile', path)
      checkFileData('writeFile', data)
      checkWriteOptions(options)
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      await writeGuestFile(this.guest, path, bytes, options.mode, options)
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
      const bytes = await readGuestFile(this.guest, path, options)
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
      await copyIn(this.guest, hostPath, guestPath, options)
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
      await copyOut(this.guest, guestPath, hostPath, options)
    })
  }

  /**
   * Waits until a command succeeds. It is tried again and again in the guest, without a round trip for each try; by way of
   * the `shell`, nothing else is run meanwhile.
   *
   * @throws GuestCommandError `WAIT_TIMEOUT` with the time, the count, and the last try’s exit code and output; others as
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
    return this.#calls.track('runTests', command, () => runTests(this.guest, command, options))
  }

  /**
   * The events that a program in the guest sends over the machine’s `channel(name)`: JSON values, one a line, the last one
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
    return guestEvents(this, this.guest, name, options)
  }

  #wait<T>(
    method: string,
    subject: T,
    condition: (subject: T) => Condition,
    options: WaitUntilOptions,
  ): Promise<WaitUntilResult> {
    return this.#calls.track(method, subject, async () => {
      checkWaitOptions(method, options)
      return waitUntil(this.guest, condition(subject), options)
    })
  }
}
