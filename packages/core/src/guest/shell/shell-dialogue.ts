/** Dialogue with a shell: types lines and reads its answers. */
import { now } from '../../host/clock.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import { setupLines } from './shell-functions.ts'
import { type Heard, NoAnswer, type ShellConsole, ShellListener } from './shell-listener.ts'

/** Time within which a shell usually answers. Milliseconds, before the multiplier. */
const KEY_MS = 2_000
/** Timeout of the last attempt, because a busy host may be much slower. Milliseconds, before the multiplier. */
const LAST_KEY_MS = 10_000

const INTERRUPT = '\x03'
const SUSPEND = '\x1a'

/** The shell cannot run the command, for example because it does not accept the functions. */
export class UnsuitableShell extends Error {}

/** The dialogue with the shell for one command. */
export class ShellDialogue implements Disposable {
  readonly #console: ShellConsole
  readonly #listener: ShellListener
  readonly #keyMs: number
  readonly #lastKeyMs: number

  /** @param gone aborts when the machine has ended and all its output was read */
  constructor(console: ShellConsole, gone: AbortSignal, scale: (milliseconds: number) => number) {
    this.#console = console
    this.#listener = new ShellListener(console, gone, scale)
    this.#keyMs = scale(KEY_MS)
    this.#lastKeyMs = scale(LAST_KEY_MS)
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]()
  }

  /**
   * Types lines and waits for the answer to their token.
   * @throws NoAnswer
   */
  ask(lines: (token: string) => readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<Heard> {
    const token = newToken()
    this.#listener.listenFor(token)
    // Some shells do not add a line with a leading blank to their history.
    this.type(
      lines(token)
        .map((line) => ` ${line}\n`)
        .join(''),
    )
    return this.next(timeoutMs, signal)
  }

  /** The next answer to the same token. @throws NoAnswer */
  next(timeoutMs: number, signal?: AbortSignal): Promise<Heard> {
    return this.#listener.next(timeoutMs, signal)
  }

  /** Types text. @throws NoAnswer when the machine has ended */
  type(text: string): void {
    try {
      this.#console.send(text)
    } catch (error) {
      throw new NoAnswer('gone', error)
    }
  }

  /**
   * Defines the shell functions.
   * @throws NoAnswer, UnsuitableShell
   */
  async define(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const { answer } = await this.ask((token) => setupLines(newToken(), token), timeoutMs, signal)
    if (answer.kind !== 'defined') throw new UnsuitableShell('the shell did not accept the functions that it needs')
    if (answer.directory === '') {
      throw new UnsuitableShell('the guest has no writable directory for its output')
    }
    if (answer.codec === '') throw new UnsuitableShell('the guest has none of base64, od, hexdump and xxd')
  }

  /**
   * Ends the running command: in the foreground with Ctrl-C or, if that has no effect, with Ctrl-Z and `kill`; in the
   * background with `kill`.
   *
   * @returns the frame with the output of the command; undefined if the shell does not answer
   * @throws NoAnswer when the machine has ended
   */
  async interrupt(background: boolean): Promise<Heard | undefined> {
    const report = (token: string): string => `_cbf ${token}||${undefinedAnswer(token)}`
    const attempts = background
      ? ([['', '_cbx;', this.#lastKeyMs]] as const)
      : ([
          [INTERRUPT, '', this.#keyMs],
          // Kills only the job that was just suspended, because the user may have other jobs.
          [SUSPEND, 'case $(jobs %%) in *topped*|*uspended*)kill -9 %%;wait %%;;esac 2>/dev/null;', this.#lastKeyMs],
        ] as const)
    for (const [key, command, timeoutMs] of attempts) {
      this.type(key)
      try {
        return await this.ask((token) => [command + report(token)], timeoutMs)
      } catch (error) {
        if (!(error instanceof NoAnswer) || error.reason !== 'time') throw error
      }
    }
    return undefined
  }

  /** The next answer to the same token, with a short timeout. @throws NoAnswer */
  soon(): Promise<Heard> {
    return this.#listener.next(this.#keyMs, undefined)
  }

  /** Gets a shell that may run a command, or have an incomplete line, to its prompt with Ctrl-C. @throws NoAnswer */
  async clear(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = now() + timeoutMs
    // Ctrl-C also discards unread input, so a slow shell gets more time with each attempt.
    for (let patienceMs = this.#keyMs; ; patienceMs *= 2) {
      const left = deadline - now()
      // A line editor that is not ready reads Ctrl-C as text.
      this.type(INTERRUPT)
      try {
        await this.ask((token) => [`command printf '\\036%s~\\037' ${token}`], Math.min(patienceMs, left), signal)
        return
      } catch (error) {
        if (!(error instanceof NoAnswer) || error.reason !== 'time' || left <= patienceMs) throw error
      }
    }
  }
}

/** Shell command that prints the frame for functions that are not defined. */
export function undefinedAnswer(token: string): string {
  return `command printf '\\036%s-\\037' ${token}`
}

function newToken(): string {
  return nodeCrypto().randomBytes(4).toString('hex')
}
