/**
 * Runs commands over the serial console, one after the other, for any guest with a POSIX shell there. Needs no
 * installation.
 *
 * The typed text and the output appear on the console. An `expect` that is pending while a command runs searches its
 * output; for later ones it is consumed.
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
  /** Resolves when no command can run any more, and all output was read. */
  readonly over: Promise<GuestEnd>
}

/** The shell on a console. */
export class ConsoleShell implements CommandTransport {
  readonly via = 'shell'
  readonly #options: ConsoleShellOptions
  readonly #gone = new AbortController()
  #last: Promise<unknown> = Promise.resolve()
  #hasAnswered = false
  /** Whether the last command may still use the terminal. */
  #stuck = false

  constructor(options: ConsoleShellOptions) {
    this.#options = options
    void options.over.then(() => this.#gone.abort())
  }

  /** Whether a command has ended, so that there is a shell on the console. */
  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  /** Settles when no command runs. Never rejects. */
  get idle(): Promise<unknown> {
    return this.#last
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
      this.#hasAnswered ||= outcome.exitCode !== undefined
      return outcome
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      if (error.reason !== 'gone') return run.silent(error)
      return run.lost(await this.#options.over)
    }
  }
}
