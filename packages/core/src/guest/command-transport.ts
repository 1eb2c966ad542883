/** What every way of running commands in a guest does. */

import type { ErrorCode } from '../errors.ts'
import { messageOf } from '../errors.ts'
import type { FileTransport } from './files/file-transport.ts'
import type { CommandRequest, GuestTransport } from './run-options.ts'

/** How a command went. */
export interface CommandOutcome {
  /** Undefined when it had not ended, or never started; then there is a failure. */
  readonly exitCode: number | undefined
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly duration: number
  /** Why it did not end by itself. */
  readonly failure?: CommandFailure
}

/** Why a command did not end by itself. */
export interface CommandFailure {
  readonly code: ErrorCode
  /** Behind "The command `x` in "vm" ": "did not end within 7 s". */
  readonly message: string
  readonly hint?: string
  readonly cause?: unknown
  /** For the message: title → text. */
  readonly sections?: Readonly<Record<string, string | undefined>>
}

/** Why no command runs in a guest any more. */
export interface GuestEnd {
  readonly code: ErrorCode
  /** Behind "when ": "the machine ended: the guest powered off". */
  readonly how: string
  /** What the guest said of it. */
  readonly excerpt?: string
}

/** A way into a guest. */
export interface CommandTransport {
  readonly via: GuestTransport
  /** Never rejects for what the command or the guest does: that is in the outcome. */
  run(request: CommandRequest): Promise<CommandOutcome>
  /** For single files; absent: a command does it. */
  readonly files?: FileTransport
}

const NOTHING = new Uint8Array(0)

/** The outcome of a command that printed nothing that is known. */
export function failed(failure: CommandFailure, duration: number): CommandOutcome {
  return { exitCode: undefined, stdout: NOTHING, stderr: NOTHING, duration, failure }
}

/** @param begun whether it had started in the guest */
export function lost({ code, how, excerpt }: GuestEnd, begun: boolean): CommandFailure {
  const message = `${begun ? 'had not ended' : 'was not started'} when ${how}`
  return { code, message, sections: { 'What the guest said': excerpt } }
}

/** For messages: `did not end within 7 s`. */
export function timedOut(timeoutMs: number): CommandFailure {
  return { code: 'COMMAND_TIMEOUT', message: `did not end within ${formatTime(timeoutMs)} and was killed` }
}

/** The caller gave up. */
export function aborted(cause: unknown): CommandFailure {
  const why = messageOf(cause)
  return { code: 'COMMAND_ABORTED', message: `was aborted and killed: ${why}`, cause }
}

/** @param directory the `cwd` asked for */
export function noDirectory(directory: string): CommandFailure {
  const message = `was not started: the guest has no accessible directory ${directory}`
  return { code: 'COMMAND_NOT_STARTED', message, hint: 'Correct `cwd`.' }
}

/** @param bytes as many as are held */
export function tooMuch(bytes: number): CommandFailure {
  return { code: 'COMMAND_OUTPUT_TOO_LARGE', message: `printed more than ${bytes / 2 ** 20} MiB and was killed` }
}

/** For messages: `250 ms`, `7 s`, `1.5 s`. */
export function formatTime(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  return `${Number((milliseconds / 1000).toFixed(1))} s`
}
