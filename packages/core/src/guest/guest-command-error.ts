/** The error of a command in the guest. */
import { ColdbootError, type ColdbootErrorOptions, type ErrorCode } from '../errors.ts'
import type { GuestTransport } from './run-options.ts'

/** A failed command. */
export interface FailedCommand {
  readonly command: string
  /** Name of the machine. */
  readonly machine: string
  readonly via: GuestTransport
  /** Undefined if the command did not end or never started. */
  readonly exitCode?: number | undefined
  /** Text or bytes, as set by `encoding`. If the command did not end, only the end of its output. */
  readonly stdout?: string | Uint8Array | undefined
  readonly stderr?: string | Uint8Array | undefined
  readonly duration: number
}

/** Most lines of output in a message, and most characters of a line. The properties have the whole output. */
const LINES = 30
const WIDTH = 240

/**
 * A command failed, or a wait that repeats a command. Codes `COMMAND_*`, `AGENT_SILENT`, `SHELL_SILENT`,
 * `WAIT_TIMEOUT`, `TESTS_*`.
 */
export class GuestCommandError extends ColdbootError {
  override readonly name: string = 'GuestCommandError'
  readonly command: string
  /** Undefined if the command did not end or never started. */
  readonly exitCode: number | undefined
  /** The whole output. If the command did not end, only the end of its output. */
  readonly stdout: string | Uint8Array
  readonly stderr: string | Uint8Array
  readonly duration: number
  /** The transport that was used. */
  readonly via: GuestTransport

  constructor(code: ErrorCode, message: string, failed: FailedCommand, options: ColdbootErrorOptions = {}) {
    super(code, message, {
      ...options,
      sections: {
        'Standard error': excerpt(failed.stderr),
        'Standard output': excerpt(failed.stdout),
        ...options.sections,
      },
    })
    this.command = failed.command
    this.exitCode = failed.exitCode
    this.stdout = failed.stdout ?? ''
    this.stderr = failed.stderr ?? ''
    this.duration = failed.duration
    this.via = failed.via
  }
}

/** Formats a command for a message, as one line of limited length. */
export function formatCommand(command: string): string {
  const [first = '', ...more] = command.trim().split('\n')
  const line = first.length > 120 ? `${first.slice(0, 120)}…` : first
  return `\`${line}\`${more.length > 0 ? ` (and ${more.length} more lines)` : ''}`
}

/** The last lines of an output, for a message. */
export function excerpt(output: string | Uint8Array | undefined): string | undefined {
  if (output === undefined || output.length === 0) return undefined
  const end = typeof output === 'string' ? output.slice(-LINES * WIDTH) : output.slice(-LINES * WIDTH)
  const text = typeof end === 'string' ? end : new TextDecoder().decode(end)
  const lines = text.replace(/\n+$/, '').split('\n')
  const shown = lines.slice(-LINES).map((line) => printable(line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line))
  if (lines.length > LINES || end.length < output.length) shown.unshift('…')
  return shown.join('\n')
}

function printable(line: string): string {
  return line.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

/** Whether an error means that the guest did not answer in time. */
export function isSilence(code: ErrorCode): boolean {
  return code === 'COMMAND_TIMEOUT' || code === 'AGENT_SILENT' || code === 'SHELL_SILENT'
}

/** A hint that is specific to a failed command, or undefined. @param stderr the standard error of the command */
export async function commandHint(exitCode: number, stderr: string | Uint8Array): Promise<string | undefined> {
  // Loaded only when a command fails.
  const { hintForCommand } = await import('./command-hint.ts')
  return hintForCommand(exitCode, stderr)
}
