/** The part of a machine’s face that is about its inside. The work is in `Guest`. */
import type { Guest } from './guest.ts'
import type { CommandResult, OutputOf, RunOptions } from './run-options.ts'

/** What `VM` offers of its guest. */
export abstract class GuestFace {
  /** The inside of this machine. */
  protected abstract readonly guest: Guest

  /**
   * Runs a command in the guest, as `sh -c` does, and waits for its end. With `ready`, waits for that first.
   *
   * The ways, the best that the machine has unless `way` says which: an agent in the guest; else the shell on the serial
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
    return this.guest.run(command, options)
  }
}
