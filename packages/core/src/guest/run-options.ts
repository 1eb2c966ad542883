/** Options of `vm.run`, their checks, and its result. */

import { OptionError } from '../errors.ts'
import {
  type CheckTable,
  checkTable,
  inspectValue,
  isDuration,
  isFlag,
  isPath,
  isSignal,
  isString,
  oneOf,
} from '../options/checked-options.ts'

/**
 * Transport of commands. `shell` types them on the serial console, for any guest with a POSIX shell there. `agent` is
 * the agent of `@coldboot/guest`. `guest-agent` is QEMU's guest agent, as packaged by distributions.
 */
export type GuestTransport = 'shell' | 'agent' | 'guest-agent'

export const GUEST_TRANSPORTS: readonly GuestTransport[] = ['agent', 'guest-agent', 'shell']

/** Encoding of the output of a command. */
export type OutputEncoding = 'utf8' | 'buffer'

/** Options of `vm.run`. */
export interface RunOptions {
  /** Timeout, milliseconds, before the multiplier. @default the machine's `timeout` */
  readonly timeout?: number | undefined
  /** Working directory in the guest. @default that of the shell; for an agent, the home directory of its user */
  readonly cwd?: string | undefined
  /** Additional environment variables. @default {} */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Standard input of the command. @default '' */
  readonly input?: string | Uint8Array | undefined
  /** Whether an exit code other than 0 is an error. @default true */
  readonly check?: boolean | undefined
  /** `utf8`: output as strings, invalid bytes as U+FFFD; `buffer`: as bytes. @default 'utf8' */
  readonly encoding?: OutputEncoding | undefined
  /** Transport, if the guest has several. @default the first of `agent`, `guest-agent`, `shell` */
  readonly via?: GuestTransport | undefined
  /** Kills the command when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** Type of the output for given options. */
export type OutputOf<Options extends RunOptions> = Options extends { readonly encoding: 'buffer' } ? Uint8Array : string

/** A command that has ended. */
export interface CommandResult<Output extends string | Uint8Array = string> {
  /** The command as shell text. */
  readonly command: string
  /** 0 to 255; 128 plus the number of the signal if a signal ended the command. */
  readonly exitCode: number
  /** The exact output, including the last line end. */
  readonly stdout: Output
  readonly stderr: Output
  /** Time from its start to its end as seen from the host, milliseconds. */
  readonly duration: number
  /** The transport that was used. */
  readonly via: GuestTransport
}

/** A checked command, as passed to a transport. */
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
 * @param owner name of the method, for messages
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function checkRunOptions(owner: string, options: RunOptions): void {
  checkTable(owner, options, CHECKS)
}

/**
 * Converts a command to shell text: a list of words is quoted.
 * @throws OptionError `INVALID_OPTION`
 */
export function commandText(owner: string, command: string | readonly string[]): string {
  const words: readonly unknown[] = Array.isArray(command) ? command : [command]
  if (words.length > 0 && words.every(isText) && words[0] !== '') {
    return typeof command === 'string' ? command : words.map(quoteWord).join(' ')
  }
  const what = 'a string that is not empty, or a list of one or more strings, without NUL'
  throw new OptionError('INVALID_OPTION', `${owner}: the command must be ${what}, but is ${inspectValue(command)}`)
}

/** Quotes a word for a POSIX shell. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Adds variables to a command, on the same line, so that line numbers in messages stay correct. */
export function withEnvironment(command: string, env: Readonly<Record<string, string>>): string {
  const words = Object.entries(env).map(([name, value]) => `${name}=${quoteWord(value)}`)
  return words.length === 0 ? command : `export ${words.join(' ')}; ${command}`
}
