/**
 * Commands over the serial console, for any guest with a POSIX shell there: nothing is installed, and nothing but the
 * console is needed. Commands are run one after the other.
 *
 * The console's text goes on as if a person had typed: who waits with `expect` while a command runs sees what it prints;
 * who begins when it is over begins behind it.
 */
import type { CommandOutcome, CommandTransport, GuestEnd } from '../command-transport.ts'
import type { CommandRequest } from '../run-options.ts'
import { ShellDialogue } from './shell-dialogue.ts'
import { NoAnswer, type ShellConsole } from './shell-listener.ts'
import { ShellRun } from './shell-run.ts'

/** Options of {@link ConsoleShell}. */
export interface ConsoleShellOptions {
  readonly console: ShellConsole
  /** Applies the multiplier. */
  readonly scale: (milliseconds: number) => number
  /** Settles when no command runs any more, and all output was read. */
  readonly over: Promise<GuestEnd>
}

/** The shell on a console. */
export class ConsoleShell implements CommandTransport {
  readonly via = 'shell'
  readonly #options: ConsoleShellOptions
  readonly #gone = new AbortController()
  #last: Promise<unknown> = Promise.resolve()
  /** Whether the last command may still have the terminal. */
  #stuck = false

  constructor(options: ConsoleShellOptions) {
    this.#options = options
    void options.over.then(() => this.#gone.abort())
  }

  run(request: CommandRequest): Promise<CommandOutcome> {
    const turn = this.#last.then(() => this.#run(request))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #run(request: CommandRequest): Promise<CommandOutcome> {
    const { console, scale } = this.#options
    using dialogue = new ShellDialogue(console, this.#gone.signal, scale)
    const run = new ShellRun(dialogue, request, scale)
    try {
      if (this.#stuck) await dialogue.clear(request.timeoutMs, request.signal)
      const outcome = await run.run()
      this.#stuck = run.stuck
      return outcome
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      if (error.reason !== 'gone') return run.silent(error)
      return run.lost(await this.#options.over)
    }
  }
}
