/** What `vm.run` is asked, checked, and what it answers. */

import { OptionError } from '../errors.ts'
import {
  type CheckTable,
  checkTable,
  isDuration,
  isFlag,
  isPath,
  isSignal,
  isString,
  oneOf,
} from '../options/checked-options.ts'

/**
 * How a command gets into the guest. `shell`: typed on the serial console, for any guest with a POSIX shell there.
 * `agent`: the agent of `@coldboot/guest`. `guest-agent`: QEMU's own, as distributions package it.
 */
export type GuestTransport = 'shell' | 'agent' | 'guest-agent'

export const GUEST_TRANSPORTS: readonly GuestTransport[] = ['agent', 'guest-agent', 'shell']

/** What output is returned as. */
export type OutputEncoding = 'utf8' | 'buffer'

/** Options of `vm.run`. */
export interface RunOptions {
  /** How long the command may take, milliseconds, before the multiplier. @default the machine's `timeout` */
  readonly timeout?: number | undefined
  /** Directory in the guest. @default the shell's current one; for an agent, the home directory of its user */
  readonly cwd?: string | undefined
  /** Variables in addition to those the guest has. @default {} */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** What the command reads from its standard input, which then ends. @default '' */
  readonly input?: string | Uint8Array | undefined
  /** Whether an exit code other than 0 is an error. @default true */
  readonly check?: boolean | undefined
  /** `utf8`: output as strings, invalid bytes as U+FFFD; `buffer`: as bytes. @default 'utf8' */
  readonly encoding?: OutputEncoding | undefined
  /** The way to use, where the guest has several. @default the best one it has */
  readonly via?: GuestTransport | undefined
  /** Ends the command when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** What output is for given options. */
export type OutputOf<Options extends RunOptions> = Options extends { readonly encoding: 'buffer' } ? Uint8Array : string

/** A command that has ended. */
export interface CommandResult<Output extends string | Uint8Array = string> {
  /** As a shell would take it. */
  readonly command: string
  /** 0 to 255; 128 and the signal's number for one that a signal ended. */
  readonly exitCode: number
  /** Exact, the last line end included. */
  readonly stdout: Output
  readonly stderr: Output
  /** From its start in the guest to its end being known here. */
  readonly duration: number
  /** The way that was used. */
  readonly via: GuestTransport
}

/** A command, checked, in the form every way takes. */
export interface CommandRequest {
  readonly command: string
  readonly timeoutMs: number
  readonly cwd: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly input: Uint8Array
  readonly signal: AbortSignal | undefined
}

const isText = (value: unknown): value is string => isString(value) && !value.includes('\0')

const CHECKS: CheckTable<Required<RunOptions>> = {
  timeout: isDuration,
  cwd: isPath,
  env: [
    'an object of strings without NUL, with names of letters, digits and "_"',
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.entries(value).every(([name, text]) => /^[A-Za-z_]\w*$/.test(name) && isText(text)),
  ],
  input: ['a string or bytes', (value) => isString(value) || value instanceof Uint8Array],
  check: isFlag,
  encoding: oneOf(['utf8', 'buffer']),
  via: oneOf(GUEST_TRANSPORTS),
  signal: isSignal,
}

/**
 * @param owner the method, for messages
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function checkRunOptions(owner: string, options: RunOptions): void {
  checkTable(owner, options, CHECKS)
}

/**
 * A command as the text for a shell: a list of words is quoted.
 * @throws OptionError `INVALID_OPTION`
 */
export function commandText(owner: string, command: string | readonly string[]): string {
  const words: readonly unknown[] = Array.isArray(command) ? command : [command]
  if (words.length > 0 && words.every(isText) && words[0] !== '') {
    return typeof command === 'string' ? command : words.map(quoteWord).join(' ')
  }
  const what = 'a string that is not empty, or a list of strings, without NUL'
  throw new OptionError('INVALID_OPTION', `${owner}: the command must be ${what}, but is ${JSON.stringify(command)}`)
}

/** One word for a POSIX shell, whatever is in it. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** The command with its variables set, for a shell. On the same line, so that line numbers in messages stay right. */
export function withEnvironment(command: string, env: Readonly<Record<string, string>>): string {
  const words = Object.entries(env).map(([name, value]) => `${name}=${quoteWord(value)}`)
  return words.length === 0 ? command : `export ${words.join(' ')}; ${command}`
}
