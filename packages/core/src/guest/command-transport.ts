/** The interface of transports that run commands in a guest. */

import { guestSections } from '../console/failure/guest-sections.ts'
import type { ErrorCode } from '../errors.ts'
import { messageOf } from '../errors.ts'
import { formatDuration } from '../format-duration.ts'
import type { FileTransport } from './files/file-transport.ts'
import type { CommandRequest, GuestTransport } from './run-options.ts'

/** Outcome of a command. */
export interface CommandOutcome {
  /** Undefined if the command did not end or never started; `failure` is then set. */
  readonly exitCode: number | undefined
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly duration: number
  /** Why the command did not end by itself. */
  readonly failure?: CommandFailure
}

/** Why a command did not end by itself. */
export interface CommandFailure {
  readonly code: ErrorCode
  /** End of a sentence that starts with "The command `x` in "vm" ", such as "did not end within 7 s". */
  readonly message: string
  readonly hint?: string
  readonly cause?: unknown
  /** Sections of the message: title → text. */
  readonly sections?: Readonly<Record<string, string | undefined>>
}

/** Why commands cannot run in a guest any more. */
export interface GuestEnd {
  readonly code: ErrorCode
  /** Clause after "when ", such as "the machine ended: the guest powered off". */
  readonly how: string
  /** Guest output about the end, such as the text of a panic. */
  readonly excerpt?: string
}

/** A transport into a guest. */
export interface CommandTransport {
  readonly via: GuestTransport
  /** Runs a command. Does not reject if the command or the guest fails: the outcome then has a failure. */
  run(request: CommandRequest): Promise<CommandOutcome>
  /** Transport for single files; undefined if files must be transferred by commands. */
  readonly files?: FileTransport
}

const NOTHING = new Uint8Array(0)

/** Outcome of a command without known output. */
export function failed(failure: CommandFailure, duration: number): CommandOutcome {
  return { exitCode: undefined, stdout: NOTHING, stderr: NOTHING, duration, failure }
}

/** Failure of a command in a guest that has ended. @param begun whether the command had started */
export function lost({ code, how, excerpt }: GuestEnd, begun: boolean): CommandFailure {
  const message = `${begun ? 'had not ended' : 'was not started'} when ${how}`
  return { code, message, sections: guestSections(excerpt) }
}

/** Failure of a command that timed out. */
export function timedOut(timeoutMs: number): CommandFailure {
  return { code: 'COMMAND_TIMEOUT', message: `did not end within ${formatDuration(timeoutMs)} and was killed` }
}

/** Failure of a command that was aborted. @param begun whether the command may have started */
export function aborted(cause: unknown, begun: boolean): CommandFailure {
  const what = begun ? 'was aborted and killed' : 'was aborted before its start'
  return { code: 'COMMAND_ABORTED', message: `${what}: ${messageOf(cause)}`, cause }
}

/** Failure of a command whose working directory does not exist. @param directory the option `cwd` */
export function noDirectory(directory: string): CommandFailure {
  const message = `was not started: the guest has no accessible directory ${directory}`
  return { code: 'COMMAND_NOT_STARTED', message, hint: 'Correct `cwd`.' }
}

/** Failure of a command that was killed because of its output. @param bytes the limit of the output */
export function tooMuch(bytes: number): CommandFailure {
  return { code: 'COMMAND_OUTPUT_TOO_LARGE', message: `printed more than ${bytes / 2 ** 20} MiB and was killed` }
}
