/** Runs one command with a shell on the console. */
import { formatDuration } from '../../format-duration.ts'
import { now } from '../../host/clock.ts'
import {
  aborted,
  type CommandOutcome,
  failed,
  type GuestEnd,
  lost,
  noDirectory,
  timedOut,
} from '../command-transport.ts'
import { type CommandRequest, withEnvironment } from '../run-options.ts'
import { type ShellDialogue, UnsuitableShell, undefinedAnswer } from './shell-dialogue.ts'
import { type Heard, NoAnswer } from './shell-listener.ts'
import { LONG_BYTES, upload } from './shell-upload.ts'
import { typedEscapes, typedWord } from './typed-text.ts'

/** How often a damaged answer is requested again. */
const REPEATS = 5
/** Timeout of a repeated answer. Milliseconds, before the multiplier. */
const REPEAT_MS = 10_000

/** Longest command passed as an argument, bytes. The Linux kernel limits an argument to 128 KiB. */
const LONGEST_ARGUMENT = 120_000

/** A running command. */
export class ShellRun {
  /** Whether the command could not be killed, so that it may still read the terminal. */
  stuck = false
  readonly #dialogue: ShellDialogue
  readonly #request: CommandRequest
  readonly #scale: (milliseconds: number) => number
  #sentAt = now()
  #begun = false

  constructor(dialogue: ShellDialogue, request: CommandRequest, scale: (milliseconds: number) => number) {
    this.#dialogue = dialogue
    this.#request = request
    this.#scale = scale
  }

  /** Runs the command. @throws NoAnswer when the machine has ended */
  async run(): Promise<CommandOutcome> {
    const begun = await this.#begin()
    if ('exitCode' in begun) return begun
    this.#begun = true
    const background = begun.answer.kind === 'begun' && begun.answer.background
    const { timeoutMs, signal } = this.#request
    try {
      return await this.#conclude(await this.#dialogue.next(timeoutMs, signal))
    } catch (error) {
      if (!(error instanceof NoAnswer) || error.reason === 'gone') throw error
      return this.#interrupt(error, background)
    }
  }

  get #duration(): number {
    return now() - this.#sentAt
  }

  async #begin(): Promise<Heard | CommandOutcome> {
    const { timeoutMs, signal } = this.#request
    try {
      for (const again of [true, false]) {
        const heard = await this.#attempt()
        if (heard.answer.kind !== 'undefined') return heard
        if (again) await this.#dialogue.define(timeoutMs, signal)
      }
      throw new UnsuitableShell('the shell does not keep the functions that it needs')
    } catch (error) {
      if (error instanceof UnsuitableShell) {
        return failed({ code: 'COMMAND_NOT_STARTED', message: `cannot be run: ${error.message}` }, this.#duration)
      }
      if (!(error instanceof NoAnswer) || error.reason === 'gone') throw error
      // After an abort, the command may have started, so it must be killed.
      return error.reason === 'aborted' ? this.#begunLate(error) : this.silent(error)
    }
  }

  async #begunLate(error: NoAnswer): Promise<Heard | CommandOutcome> {
    try {
      return await this.#dialogue.soon()
    } catch (later) {
      if (later instanceof NoAnswer && later.reason === 'time') return this.silent(error)
      throw later
    }
  }

  async #attempt(): Promise<Heard> {
    const { command, cwd, env, input, timeoutMs, signal } = this.#request
    const script = withEnvironment(command, env)
    const isFile = Buffer.byteLength(script) > LONGEST_ARGUMENT
    if (isFile || input.length > LONG_BYTES) await this.#requireFunctions()
    if (isFile) await upload(this.#dialogue, 'c', Buffer.from(script), this.#scale, timeoutMs, signal)
    if (input.length > LONG_BYTES) await upload(this.#dialogue, 'i', input, this.#scale, timeoutMs, signal)
    const text = isFile ? { before: [], word: `"exec sh '\${_cbd-}/c'"` } : typedWord(script, '_cbB')
    const directory = typedWord(cwd ?? '', '_cbC')
    const typedInput = input.length > 0 && input.length <= LONG_BYTES ? typedEscapes(input, '_cbv') : undefined
    const words = [text.word, ...(cwd === undefined && input.length === 0 ? [] : [directory.word])]
    if (input.length > 0) words.push('"${_cbd-}/i"')
    this.#sentAt = now()
    return this.#dialogue.ask(
      (token) => [
        ...(typedInput === undefined ? [] : [...typedInput.before, `_cbw i ${typedInput.word}||:`]),
        ...text.before,
        ...directory.before,
        `_cb ${token} ${words.join(' ')}||${undefinedAnswer(token)}`,
      ],
      timeoutMs,
      signal,
    )
  }

  async #requireFunctions(): Promise<void> {
    const { timeoutMs, signal } = this.#request
    const { answer } = await this.#dialogue.ask(
      (token) => [`[ -d "\${_cbd-}" ]&&_cbw i ''&&command printf '\\036%s~\\037' ${token}||${undefinedAnswer(token)}`],
      timeoutMs,
      signal,
    )
    if (answer.kind === 'undefined') await this.#dialogue.define(timeoutMs, signal)
  }

  /** Converts an answer to an outcome. @param heard the answer after that for the start of the command */
  async #conclude(heard: Heard): Promise<CommandOutcome> {
    const duration = heard.at - this.#sentAt
    let { answer } = heard
    for (let repeat = 0; answer.kind === 'garbled' && repeat < REPEATS; repeat++) {
      const again = await this.#dialogue.ask((token) => [`_cbz ${token}`], this.#scale(REPEAT_MS))
      answer = again.answer
    }
    if (answer.kind === 'ended') {
      const { status: exitCode, stdout, stderr } = answer
      return { exitCode, stdout, stderr, duration }
    }
    if (answer.kind === 'no-directory') {
      return failed(noDirectory(this.#request.cwd ?? ''), duration)
    }
    const message = `has ended, but other console output was mixed into its output, also in ${REPEATS} repetitions`
    return failed({ code: 'COMMAND_GARBLED', message }, duration)
  }

  /** Kills the command after its timeout or an abort. */
  async #interrupt(error: NoAnswer, background: boolean): Promise<CommandOutcome> {
    const duration = this.#duration
    const failure = error.reason === 'time' ? timedOut(this.#request.timeoutMs) : aborted(error.cause, true)
    try {
      const heard = await this.#dialogue.interrupt(background)
      const outcome = heard && (await this.#conclude(heard))
      if (outcome !== undefined) return { ...outcome, exitCode: undefined, duration, failure }
    } catch (gone) {
      if (!(gone instanceof NoAnswer) || gone.reason === 'gone') throw gone
    }
    this.stuck = true
    return failed({ ...failure, message: `${failure.message}; the shell has not answered since` }, duration)
  }

  /** Outcome if no shell answered. */
  silent(error: NoAnswer): CommandOutcome {
    this.stuck = true
    if (error.reason === 'aborted') return failed(aborted(error.cause, true), this.#duration)
    const message = `was not started: no shell answered on the console within ${formatDuration(this.#request.timeoutMs)}`
    return failed({ code: 'SHELL_SILENT', message }, this.#duration)
  }

  /** Outcome if the machine has ended. */
  lost(end: GuestEnd): CommandOutcome {
    return failed(lost(end, this.#begun), this.#duration)
  }
}
