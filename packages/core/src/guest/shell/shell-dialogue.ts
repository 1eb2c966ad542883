/** Dialogue with a shell: types lines and reads its answers. */
import { now } from '../../host/clock.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import { setupLines } from './shell-functions.ts'
import { type Heard, NoAnswer, type ShellConsole, ShellListener } from './shell-listener.ts'

/** Time in which a shell normally answers. Milliseconds, before the multiplier. */
const KEY_MS = 2_000
/** The same for the last attempt, because a busy host may be much slower. */
const LAST_KEY_MS = 10_000

const INTERRUPT = '\x03'
const SUSPEND = '\x1a'

/** The functions could not be defined. */
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
    // A leading blank keeps the lines out of the history of some shells.
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
   * Ends the command in the foreground by Ctrl-C, or else Ctrl-Z and `kill`; a command in the background by `kill`.
   *
   * @returns output of the command; undefined if the shell does not answer
   * @throws NoAnswer when the machine has ended
   */
  async interrupt(background: boolean): Promise<Heard | undefined> {
    const report = (token: string): string => `_cbf ${token}||${undefinedAnswer(token)}`
    const attempts = background
      ? ([['', '_cbx;', this.#lastKeyMs]] as const)
      : ([
          [INTERRUPT, '', this.#keyMs],
          // Only the job that was just suspended, because the user may have other jobs.
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

  /** An immediate answer to the same token. @throws NoAnswer */
  soon(): Promise<Heard> {
    return this.#listener.next(this.#keyMs, undefined)
  }

  /** Interrupts a shell that may be busy or have an incomplete line. @throws NoAnswer */
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

/** Command that answers if a function is not defined. */
export function undefinedAnswer(token: string): string {
  return `command printf '\\036%s-\\037' ${token}`
}

function newToken(): string {
  return nodeCrypto().randomBytes(4).toString('hex')
}
