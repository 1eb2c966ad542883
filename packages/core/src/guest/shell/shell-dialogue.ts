/** Typing at a shell and hearing its answers. */
import { randomBytes } from 'node:crypto'
import { now } from '../../host/clock.ts'
import { setupLines } from './shell-functions.ts'
import { type Heard, NoAnswer, type ShellConsole, ShellListener } from './shell-listener.ts'

/** A shell mostly answers a key within this time, if it is there. Milliseconds, before the multiplier. */
const KEY_MS = 2_000
/** The same when there is nothing else to try: on a busy host some hundred milliseconds of work take seconds. */
const LAST_KEY_MS = 10_000

const INTERRUPT = '\x03'
const SUSPEND = '\x1a'

/** The functions could not be defined. */
export class UnsuitableShell extends Error {}

/** One command's conversation with the shell. */
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
    // A blank in front keeps them out of the history of shells that are set up so.
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

  /** @throws NoAnswer */
  type(text: string): void {
    try {
      this.#console.send(text)
    } catch (error) {
      throw new NoAnswer('gone', error)
    }
  }

  /**
   * Defines the functions.
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
   * Ends the command that has the terminal, by Ctrl-C, else Ctrl-Z and `kill`; one that has no terminal, in
   * the background, by `kill`.
   *
   * @returns what the command had printed; undefined when the shell does not come back
   * @throws NoAnswer when the machine has ended
   */
  async interrupt(background: boolean): Promise<Heard | undefined> {
    const report = (token: string): string => `_cbf ${token}||${undefinedAnswer(token)}`
    const attempts = background
      ? ([['', '_cbx;', this.#lastKeyMs]] as const)
      : ([
          [INTERRUPT, '', this.#keyMs],
          // Only what was suspended right now: the user may have jobs of his own.
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

  /** An answer to the same token that is to come at once. @throws NoAnswer */
  soon(): Promise<Heard> {
    return this.#listener.next(this.#keyMs, undefined)
  }

  /** Makes a shell ready that may be busy, or have half a line before it. @throws NoAnswer */
  async clear(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = now() + timeoutMs
    // Each Ctrl-C also takes away what was typed and not yet read: a slow shell needs more and more time.
    for (let patienceMs = this.#keyMs; ; patienceMs *= 2) {
      const left = deadline - now()
      // A line editor takes a Ctrl-C that comes too early as text.
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

/** What the shell types back where a function is not defined. */
export function undefinedAnswer(token: string): string {
  return `command printf '\\036%s-\\037' ${token}`
}

function newToken(): string {
  return randomBytes(4).toString('hex')
}
