/**
 * Logs in on a serial console, as a person would: waits for the prompt of getty, answers it and the one for a password, and
 * makes sure that a shell is there. Messages may have come over any of the prompts: where one is missing, Enter brings
 * another.
 */

import type { ExpectOptions } from '../console/expect/expect-options.ts'
import { lastLines } from '../console/failure/expect-failure.ts'
import type { Match, Pattern } from '../console/match/pattern.ts'
import { ExpectError } from '../errors.ts'
import { now } from '../host/clock.ts'
import { type CheckTable, checkTable, isDuration, isSignal, isString } from '../options/checked-options.ts'
import { formatTime } from './command-transport.ts'
import type { Guest } from './guest.ts'

/** Options of `vm.login`. */
export interface LoginOptions {
  /** @default 'root' */
  readonly user?: string | undefined
  /** Typed when it is asked for. @default '' */
  readonly password?: string | undefined
  /** The shell's prompt. @default `$`, `#`, `%` or `>` and a blank, at the end of the output */
  readonly prompt?: Pattern | undefined
  /** How long it may take in all, milliseconds, before the multiplier. @default 60000 */
  readonly timeout?: number | undefined
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** The inside of the same machine. */
export type LoginGuest = Pick<Guest, 'name' | 'scale' | 'ready' | 'run'>

/** The machine, as far as someone who logs in needs it. */
export interface LoginConsole {
  readonly output: string
  expect(pattern: readonly Pattern[], options: ExpectOptions): Promise<Match>
  send(text: string): void
}

const DEFAULT_TIMEOUT_MS = 60_000
const DEFAULT_PROMPT = /[$#%>] $/

/** After so much silence where a prompt was to come, Enter is pressed. Milliseconds, before the multiplier. */
const NUDGE_MS = 5_000

/** The name is typed again when it is asked for again: an empty line may have been read in its place. */
const MOST_NAMES = 3

/** Of the end of the output, characters. */
const LONGEST_PROMPT = 200
const LOGIN_AT_END = /login: ?$/i

// Not that of "Last login: Mon …".
const LOGIN = /(?<!last )login: ?/i
const PASSWORD = /password: ?/i
const REFUSED = /login incorrect|authentication failure|permission denied|account (?:is )?locked/i

const isPattern = (value: unknown): boolean => (isString(value) ? value !== '' : value instanceof RegExp)
const isTyped = (value: unknown): boolean => isString(value) && !/[\0\r\n]/.test(value)

const CHECKS: CheckTable<Required<LoginOptions>> = {
  user: ['a name of one line', (value) => isTyped(value) && value !== ''],
  password: ['a string of one line', isTyped],
  prompt: ['a string that is not empty, or a regular expression', isPattern],
  timeout: isDuration,
  signal: isSignal,
}

/**
 * @param guest of the same machine: proves that a shell is there
 * @throws ExpectError `LOGIN_FAILED`; `EXPECT_EXITED`, `EXPECT_ABORTED`; GuestError
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export async function login(console: LoginConsole, guest: LoginGuest, options: LoginOptions): Promise<void> {
  checkTable('login', options, CHECKS)
  await guest.ready()
  const { user = 'root', password = '', prompt = DEFAULT_PROMPT } = options
  const attempt = new LoginAttempt(console, guest, options)
  let isAsked = await attempt.isAsked()
  if (!isAsked && options.prompt === undefined && attempt.endsWith(DEFAULT_PROMPT)) return attempt.prove()
  let hasAnswered = false
  for (let names = 0; names < MOST_NAMES; ) {
    const pattern = isAsked ? LOGIN : (await attempt.next([PASSWORD, REFUSED, prompt, LOGIN])).pattern
    isAsked = false
    if (pattern === prompt) return attempt.prove()
    if (pattern === LOGIN && !hasAnswered) {
      attempt.type(user)
      names++
    } else if (pattern === PASSWORD && !hasAnswered) {
      attempt.type(password)
      hasAnswered = true
    } else if (attempt.takeNudge()) {
      // What was refused may be the empty line, in place of a prompt that was not seen.
      hasAnswered = false
      isAsked = pattern === LOGIN
    } else {
      break
    }
  }
  throw attempt.failed(`user ${user} was refused`)
}

class LoginAttempt {
  readonly #console: LoginConsole
  readonly #guest: LoginGuest
  readonly #options: LoginOptions
  readonly #limitMs: number
  readonly #startedAt = now()
  #isNudged = false

  constructor(console: LoginConsole, guest: LoginGuest, options: LoginOptions) {
    this.#console = console
    this.#guest = guest
    this.#options = options
    this.#limitMs = guest.scale(options.timeout ?? DEFAULT_TIMEOUT_MS)
  }

  /** Whether a login prompt is the last that was printed, as when it was what `ready` waited for. Consumes it then. */
  async isAsked(): Promise<boolean> {
    if (!this.endsWith(LOGIN_AT_END)) return false
    // Else it would be answered once more.
    await this.#console.expect([LOGIN_AT_END], { timeout: 0 }).catch(requireTimeout)
    return true
  }

  endsWith(pattern: RegExp): boolean {
    return pattern.test(this.#console.output.slice(-LONGEST_PROMPT))
  }

  type(text: string): void {
    this.#console.send(`${text}\n`)
  }

  /** The next of the patterns; where there is only silence, Enter is pressed. */
  async next(patterns: readonly Pattern[]): Promise<Match> {
    const { signal } = this.#options
    for (;;) {
      const timeout = this.#left
      if (timeout <= 0) throw this.failed('no prompt came')
      try {
        const limits = { timeout, idleTimeout: NUDGE_MS, ...(signal === undefined ? {} : { signal }) }
        return await this.#console.expect(patterns, { ...limits, view: 'userspace' })
      } catch (error) {
        requireTimeout(error)
        this.#isNudged = true
        this.type('')
      }
    }
  }

  /** Whether Enter was pressed since this was asked last. */
  takeNudge(): boolean {
    const was = this.#isNudged
    this.#isNudged = false
    return was
  }

  /** A prompt alone may be something else that was printed. */
  async prove(): Promise<void> {
    const { signal } = this.#options
    await this.#guest.run('true', { via: 'shell', timeout: Math.max(1, this.#left), signal })
  }

  failed(why: string): ExpectError {
    const elapsed = formatTime(now() - this.#startedAt)
    return new ExpectError('LOGIN_FAILED', `The login on "${this.#guest.name}" failed after ${elapsed}: ${why}`, {
      sections: { 'End of the console': lastLines(this.#console.output) },
    })
  }

  /** Milliseconds, before the multiplier. */
  get #left(): number {
    return (this.#limitMs - (now() - this.#startedAt)) / this.#guest.scale(1)
  }
}

function requireTimeout(error: unknown): void {
  if (!(error instanceof ExpectError) || error.code !== 'EXPECT_TIMEOUT') throw error
}
