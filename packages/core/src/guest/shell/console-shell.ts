/**
 * Runs commands over the serial console, one after the other. Works with any guest that has a POSIX shell on the
 * console, without an agent.
 *
 * The typed text and the output appear on the console. An `expect` that is pending while a command runs also searches
 * the output of the command. A later `expect` does not see it.
 */
import { aborted, type CommandOutcome, type CommandTransport, failed, type GuestEnd } from '../command-transport.ts'
import type { CommandRequest } from '../run-options.ts'
import { Interrupted, unlessAborted } from '../waiting.ts'
import { ShellDialogue } from './shell-dialogue.ts'
import { NoAnswer, type ShellConsole } from './shell-listener.ts'
import { ShellRun } from './shell-run.ts'

/** Options of {@link ConsoleShell}. */
export interface ConsoleShellOptions {
  readonly console: ShellConsole
  /** Multiplies a timeout by `timeoutMultiplier`. */
  readonly scale: (milliseconds: number) => number
  /** Resolves when no command can run in the guest any more and all output was read. */
  readonly over: Promise<GuestEnd>
}

/** Runs commands with the shell on the console of one machine. */
export class ConsoleShell implements CommandTransport {
  readonly via = 'shell'
  readonly #options: ConsoleShellOptions
  readonly #gone = new AbortController()
  #last: Promise<unknown> = Promise.resolve()
  #hasAnswered = false
  /** Whether the last command could not be killed, so that it may still read the terminal. */
  #stuck = false

  constructor(options: ConsoleShellOptions) {
    this.#options = options
    void options.over.then(() => this.#gone.abort())
  }

  /** Whether a command has ended, which proves that a shell reads the console. */
  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  /** Settles when no command runs. Never rejects. */
  get idle(): Promise<unknown> {
    return this.#last
  }

  run(request: CommandRequest): Promise<CommandOutcome> {
    const earlier = this.#last
    const outcome = this.#runAfter(earlier, request)
    // A command that is aborted while it waits ends before the earlier ones.
    this.#last = Promise.allSettled([earlier, outcome])
    return outcome
  }

  async #runAfter(earlier: Promise<unknown>, request: CommandRequest): Promise<CommandOutcome> {
    try {
      await unlessAborted(earlier, request.signal)
    } catch (error) {
      if (error instanceof Interrupted) return failed(aborted(error.cause, false), 0)
      throw error
    }
    return this.#run(request)
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
