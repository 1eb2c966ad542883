/**
 * Logs in on a serial console: answers the prompts of getty for user and password, and waits for a shell. If messages
 * have overwritten a prompt, presses Enter to get it again.
 */

import type { ExpectOptions } from '../console/expect/expect-options.ts'
import { lastLines } from '../console/failure/last-lines.ts'
import type { Match, Pattern } from '../console/match/pattern.ts'
import { UserspaceText } from '../console/text/userspace-text.ts'
import { ExpectError } from '../errors.ts'
import { formatDuration } from '../format-duration.ts'
import { now } from '../host/clock.ts'
import { type CheckTable, checkTable, isDuration, isSignal, isString } from '../options/checked-options.ts'
import type { Guest } from './guest.ts'
import { Interrupted } from './waiting.ts'

/** Prompts for user name and password. */
export interface LoginPrompts {
  /** Prompt for the user name. @default `login:`, in upper or lower case */
  readonly login?: Pattern | undefined
  /** Prompt for the password. @default `password:`, in upper or lower case */
  readonly password?: Pattern | undefined
}

/** Options of `vm.login`. */
export interface LoginOptions {
  /** Name of the user. @default 'root' */
  readonly user?: string | undefined
  /** Password, typed if the guest asks for it. @default '' */
  readonly password?: string | undefined
  /** New password, typed if the old one has expired. @default none: the login fails then */
  readonly newPassword?: string | undefined
  /** Prompts of a guest in another language, or with custom prompts. Blanks may follow. @default {} */
  readonly prompts?: LoginPrompts | undefined
  /** Prompt of the shell. Blanks may follow. @default `$`, `#`, `%` or `>` and a blank */
  readonly prompt?: Pattern | undefined
  /** Timeout of the whole login, milliseconds, before the multiplier. @default 60000 */
  readonly timeout?: number | undefined
  /** Rejects the call when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** The Guest of the same machine. */
export type LoginGuest = Pick<Guest, 'name' | 'scale' | 'ready' | 'run'>

/** The part of the console that a login needs. */
export interface LoginConsole {
  readonly output: string
  expect(pattern: readonly Pattern[], options: ExpectOptions): Promise<Match>
  send(text: string): void
}

const DEFAULT_TIMEOUT_MS = 60_000
const DEFAULT_PROMPT = /[$#%>] $/

/** Silence after which Enter is pressed to get a prompt. Milliseconds, before the multiplier. */
const NUDGE_MS = 5_000

/** Most attempts to type the name, because a login with an empty line may be refused before it. */
const MOST_NAMES = 3

/** Number of silences at an unknown prompt, after a name was typed, after which the login fails. */
const MOST_SILENCES = 2

/** Longest prompt, characters. */
const LONGEST_PROMPT = 200
/** Longest end of the output that is searched for a prompt with kernel messages after it, characters. */
const LONGEST_TAIL = 2_000

// Matches only at the end of the output, because banners and messages may have the same text.
const LOGIN = /(?<!last (?:failed )?)login: ?$/i
const PASSWORD = /password: ?$/i
/** Prompts of pam_unix and passwd for an expired password. */
const CURRENT_PASSWORD = /(?:\(?current\)?(?: unix)?|old) password: ?$/i
const NEW_PASSWORD = /(?:(re-?(?:type|enter)|repeat)[^\n]{0,8} )?new (?:unix )?password(?: ?\(?again\)?)?: ?$/i
/** The end of an unknown prompt. */
const QUESTION = /[:?>)\]»›：]\s*$/

const isPattern = (value: unknown): boolean => (isString(value) ? value !== '' : value instanceof RegExp)
const isTyped = (value: unknown): boolean => isString(value) && !/[\0\r\n]/.test(value)

const PROMPT_CHECKS: CheckTable<Required<LoginPrompts>> = {
  login: ['a string that is not empty, or a regular expression', isPattern],
  password: ['a string that is not empty, or a regular expression', isPattern],
}

const CHECKS: CheckTable<Required<LoginOptions>> = {
  user: ['a string of one line that is not empty', (value) => isTyped(value) && value !== ''],
  password: ['a string of one line', isTyped],
  newPassword: ['a string of one line that is not empty', (value) => isTyped(value) && value !== ''],
  prompts: ['an object with `login` and `password`', (value) => typeof value === 'object' && value !== null],
  prompt: ['a string that is not empty, or a regular expression', isPattern],
  timeout: isDuration,
  signal: isSignal,
}

/**
 * @param guest Guest of the same machine, to check for a shell
 * @throws ExpectError `LOGIN_FAILED`, `LOGIN_PASSWORD_EXPIRED`; `EXPECT_EXITED`, `EXPECT_ABORTED`; GuestError
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export async function login(console: LoginConsole, guest: LoginGuest, options: LoginOptions): Promise<void> {
  checkTable('login', options, CHECKS)
  checkTable('login: prompts', options.prompts ?? {}, PROMPT_CHECKS)
  // After an abort, the first wait below rejects.
  await guest.ready(options.signal).catch((error: unknown) => {
    if (!(error instanceof Interrupted)) throw error
  })
  const { user = 'root', prompts = {}, newPassword } = options
  const prompt = options.prompt === undefined ? DEFAULT_PROMPT : atEnd(options.prompt)
  const asksName = prompts.login === undefined ? LOGIN : atEnd(prompts.login)
  const asksPassword = prompts.password === undefined ? PASSWORD : atEnd(prompts.password)
  const attempt = new LoginAttempt(console, guest, options)
  let isAsked = await attempt.isAsked(asksName)
  if (!isAsked && options.prompt === undefined && attempt.endsWith(DEFAULT_PROMPT)) return attempt.prove()
  let password = options.password ?? ''
  let hasAnswered = false
  let changes = 0
  for (let names = 0; names < MOST_NAMES; ) {
    const patterns = [CURRENT_PASSWORD, NEW_PASSWORD, asksPassword, prompt, asksName]
    const { pattern, captures } = isAsked
      ? { pattern: asksName, captures: [] }
      : await attempt.next(patterns, names > 0)
    isAsked = false
    if (pattern === prompt) return attempt.prove()
    if (pattern === CURRENT_PASSWORD || pattern === NEW_PASSWORD) {
      if (newPassword === undefined) throw attempt.expired(user)
      const isAgain = captures[0] !== undefined
      if (pattern === NEW_PASSWORD && !isAgain && ++changes > 1) throw attempt.failed('the new password was refused')
      attempt.type(pattern === CURRENT_PASSWORD ? password : newPassword)
      // Some systems ask for the name and the new password after the change.
      if (isAgain) [password, hasAnswered] = [newPassword, false]
    } else if (pattern === asksName && !hasAnswered) {
      attempt.type(user)
      names++
    } else if (pattern === asksPassword && !hasAnswered) {
      attempt.type(password)
      hasAnswered = true
    } else if (attempt.takeNudge()) {
      // Enter may have answered a prompt that was not detected, so the guest may have refused an empty line.
      hasAnswered = false
      isAsked = pattern === asksName
    } else {
      break
    }
  }
  throw attempt.failed(`user ${user} was refused`)
}

/** The pattern at the end of the output, with optional blanks. */
function atEnd(pattern: Pattern): RegExp {
  if (typeof pattern === 'string')
    return new RegExp(`${pattern.trimEnd().replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}[ \\t]*$`)
  return new RegExp(`(?:${pattern.source})[ \\t]*$`, pattern.flags.replace(/[gy]/g, ''))
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

  /** Whether the output ends with a login prompt, for example that of `ready`. Consumes it. */
  async isAsked(prompt: RegExp): Promise<boolean> {
    if (!this.endsWith(prompt)) return false
    // The prompt is consumed, so that it is not answered twice.
    await this.#console.expect([prompt], { timeout: 0 }).catch(requireTimeout)
    return true
  }

  endsWith(pattern: RegExp): boolean {
    return pattern.test(this.#console.output.slice(-LONGEST_PROMPT))
  }

  type(text: string): void {
    this.#console.send(`${text}\n`)
  }

  /**
   * Waits for one of the patterns. Presses Enter after a silence, but not at an unknown prompt.
   * @param isTold whether a name was typed, so that a prompt belongs to the login
   */
  async next(patterns: readonly Pattern[], isTold: boolean): Promise<Match> {
    const { signal } = this.#options
    for (let silences = 1; ; silences++) {
      const timeout = this.#left
      const unknown = this.#unknownPrompt
      if (unknown !== undefined && (timeout <= 0 || (isTold && silences > MOST_SILENCES))) throw this.#stuck(unknown)
      if (timeout <= 0) throw this.failed('no prompt came')
      try {
        const limits = { timeout, idleTimeout: NUDGE_MS, ...(signal === undefined ? {} : { signal }) }
        return await this.#console.expect(patterns, { ...limits, view: 'userspace' })
      } catch (error) {
        requireTimeout(error)
        if (this.#unknownPrompt !== undefined) continue
        this.#isNudged = true
        this.type('')
      }
    }
  }

  /** Whether Enter was pressed since the last call. */
  takeNudge(): boolean {
    const was = this.#isNudged
    this.#isNudged = false
    return was
  }

  /** Proves that a shell reads the console by running a command, because other output may look like a prompt. */
  async prove(): Promise<void> {
    const { signal } = this.#options
    await this.#guest.run('true', { via: 'shell', timeout: Math.max(1, this.#left), signal })
  }

  failed(why: string, hint?: string): ExpectError {
    return this.#error('LOGIN_FAILED', why, hint)
  }

  expired(user: string): ExpectError {
    return this.#error(
      'LOGIN_PASSWORD_EXPIRED',
      `the password of ${user} has expired, and the guest asks for a new one`,
    )
  }

  #stuck(prompt: string): ExpectError {
    const hint =
      'Set `prompts: { login, password }` to the prompts of the guest, or `prompt` to the prompt of its shell.'
    return this.failed(`the console shows an unknown prompt: ${JSON.stringify(prompt)}`, hint)
  }

  #error(code: 'LOGIN_FAILED' | 'LOGIN_PASSWORD_EXPIRED', why: string, hint?: string): ExpectError {
    const elapsed = formatDuration(now() - this.#startedAt)
    return new ExpectError(code, `The login on "${this.#guest.name}" failed after ${elapsed}: ${why}`, {
      ...(hint === undefined ? {} : { hint }),
      sections: { 'End of the console': lastLines(this.#console.output) },
    })
  }

  /** The last line, if it is incomplete and looks like a prompt. Kernel messages may follow it. */
  get #unknownPrompt(): string | undefined {
    const text = new UserspaceText()
    const line = (text.push(this.#console.output.slice(-LONGEST_TAIL)) + text.end()).split('\n').at(-1) ?? ''
    return QUESTION.test(line) && line.trim().length > 1 ? line : undefined
  }

  /** Remaining time of the login. Milliseconds, before the multiplier. */
  get #left(): number {
    return (this.#limitMs - (now() - this.#startedAt)) / this.#guest.scale(1)
  }
}

function requireTimeout(error: unknown): void {
  if (!(error instanceof ExpectError) || error.code !== 'EXPECT_TIMEOUT') throw error
}
