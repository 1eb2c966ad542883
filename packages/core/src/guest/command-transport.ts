/** The interface of transports that run commands in a guest. */

import { guestSections } from '../console/failure/guest-sections.ts'
import type { ErrorCode } from '../errors.ts'
import { messageOf } from '../errors.ts'
import { formatDuration } from '../format-duration.ts'
import type { FileTransport } from './files/file-transport.ts'
import type { CommandRequest, GuestTransport } from './run-options.ts'

/** Outcome of a command. */
export interface CommandOutcome {
  /** Undefined if the command did not end or never started; then there is a failure. */
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
  /** Predicate after "The command `x` in "vm" ", such as "did not end within 7 s". */
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
  /** Output of the guest about it. */
  readonly excerpt?: string
}

/** A transport into a guest. */
export interface CommandTransport {
  readonly via: GuestTransport
  /** Does not reject for failures of the command or the guest, which are in the outcome. */
  run(request: CommandRequest): Promise<CommandOutcome>
  /** Transport for single files; undefined if commands transfer them. */
  readonly files?: FileTransport
}

const NOTHING = new Uint8Array(0)

/** Outcome of a command without known output. */
export function failed(failure: CommandFailure, duration: number): CommandOutcome {
  return { exitCode: undefined, stdout: NOTHING, stderr: NOTHING, duration, failure }
}

/** @param begun whether it had started in the guest */
export function lost({ code, how, excerpt }: GuestEnd, begun: boolean): CommandFailure {
  const message = `${begun ? 'had not ended' : 'was not started'} when ${how}`
  return { code, message, sections: guestSections(excerpt) }
}

/** Failure of a command that timed out. */
export function timedOut(timeoutMs: number): CommandFailure {
  return { code: 'COMMAND_TIMEOUT', message: `did not end within ${formatDuration(timeoutMs)} and was killed` }
}

/** Failure of a command that was aborted. */
export function aborted(cause: unknown): CommandFailure {
  const why = messageOf(cause)
  return { code: 'COMMAND_ABORTED', message: `was aborted and killed: ${why}`, cause }
}

/** @param directory the option `cwd` */
export function noDirectory(directory: string): CommandFailure {
  const message = `was not started: the guest has no accessible directory ${directory}`
  return { code: 'COMMAND_NOT_STARTED', message, hint: 'Correct `cwd`.' }
}

/** @param bytes the limit */
export function tooMuch(bytes: number): CommandFailure {
  return { code: 'COMMAND_OUTPUT_TOO_LARGE', message: `printed more than ${bytes / 2 ** 20} MiB and was killed` }
}
