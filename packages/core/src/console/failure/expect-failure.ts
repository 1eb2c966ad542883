/** Error messages for failed expects. */
import { types } from 'node:util'
import {
  ColdbootError,
  type ColdbootErrorOptions,
  type ErrorCode,
  ExpectError,
  GuestError,
  messageOf,
} from '../../errors.ts'
import { formatDuration } from '../../format-duration.ts'
import type { Incident } from '../incident/incident.ts'
import { describePatterns, type Pattern } from '../match/pattern.ts'
import { callTrace } from './call-trace.ts'
import { diagnose, type Evidence } from './diagnosis.ts'
import { knownCause } from './known-causes.ts'
import { lastLines, printable } from './last-lines.ts'
import { shortCommandLine } from './short-command-line.ts'

/** Facts about the machine that error messages mention. */
export interface ConsoleContext {
  /** Guest architecture, by QEMU's name. */
  readonly arch?: string
  /** Linux name of the console device, such as `ttyS0` in `console=ttyS0`. */
  readonly consoleDevice?: string
  /** Why the machine runs without hardware acceleration, for example `/dev/kvm does not exist`; undefined with it. */
  readonly emulatedBecause?: string | undefined
  /** Whether the test has paused the CPUs. */
  readonly isPaused?: boolean
  /** Whether a terminal on the console answers queries. */
  readonly hasTerminal?: boolean
  /** The last text sent, if it does not end with Enter. */
  readonly unfinished?: string
  /** The last lines sent with Enter, the oldest first. */
  readonly typed?: readonly string[]
  /** The arguments of the machine's command line. */
  readonly commandLine?: readonly string[]
  /** Path of the console log. */
  readonly logFile?: string | undefined
}

/** State of a console and of a failed wait. Times in milliseconds. */
export interface FailureFacts {
  readonly name: string
  readonly patterns: readonly Pattern[]
  readonly elapsedMs: number
  /** Time since the last byte; `undefined` if there was none. */
  readonly silentMs: number | undefined
  /** Number of bytes since the start. */
  readonly bytes: number
  /** Number of characters after the cursor that the wait has searched without a match. */
  readonly unmatched: number
  /** Number of characters that should have been searched but are no longer in memory. */
  readonly dropped: number
  /** Pattern of an earlier wait that was still pending, so that this wait had not started its search. */
  readonly behind: string | undefined
  /** The end of the clean text. */
  readonly tail: string
  readonly context: ConsoleContext
  /** Input for the diagnosis. */
  readonly evidence: Omit<Evidence, 'patterns' | 'elapsedMs' | 'silentMs' | keyof ConsoleContext>
  /** Stack frames of the call. */
  readonly frames: string
}

/** A failure of the guest, with the texts for a message. */
export interface GuestFailure {
  readonly incident: Incident
  /** A verb phrase, such as `panicked`. */
  readonly what: string
  /** What to do about it. @default the hint of the error code */
  readonly hint: string | undefined
  /** The console output before the failure. */
  readonly before: string
}

const EXCERPT_LINES = 100
const BEFORE_LINES = 10

/** Creates `EXPECT_TIMEOUT`, for the total timeout. */
export function timedOut(facts: FailureFacts): ExpectError {
  const what = `"${facts.name}" did not print ${describePatterns(facts.patterns)} within ${formatDuration(facts.elapsedMs)}`
  return failure(ExpectError, 'EXPECT_TIMEOUT', `${what}: ${account(facts)}`, facts, diagnosis(facts))
}

/** Creates `EXPECT_TIMEOUT`, for the idle timeout. */
export function fellSilent(facts: FailureFacts, idleMs: number): ExpectError {
  const what = `"${facts.name}" printed nothing for ${formatDuration(idleMs)} while ${describePatterns(facts.patterns)} was awaited`
  return failure(
    ExpectError,
    'EXPECT_TIMEOUT',
    `${what} (${formatDuration(facts.elapsedMs)} so far): ${account(facts)}`,
    facts,
    diagnosis(facts),
  )
}

/** Creates `EXPECT_EXITED`, with the sections of the reason, such as the output of QEMU. */
export function exited(facts: FailureFacts, reason: Error): ExpectError {
  const { shortMessage, sections } = ColdbootError.is(reason) ? reason : { shortMessage: reason.message, sections: {} }
  const what = `"${facts.name}" ended before it printed ${describePatterns(facts.patterns)}: ${shortMessage}`
  const cause = knownCause(facts.tail)
  const hint = cause === undefined ? {} : { hint: cause }
  const options = { ...hint, cause: reason, sections }
  return failure(ExpectError, 'EXPECT_EXITED', `${what} (${account(facts)})`, facts, options)
}

/** Creates a `GUEST_*` error. */
export function guestFailed(facts: FailureFacts, failed: GuestFailure): GuestError {
  const { incident, what, before } = failed
  const meanwhile = `while ${describePatterns(facts.patterns)} was awaited`
  const message = `"${facts.name}" ${what} ${meanwhile}${incident.message === '' ? '' : `: ${printable(incident.message)}`}`
  const hint = failed.hint ?? knownCause(`${before}\n${incident.excerpt}`)
  return failure(GuestError, incident.code, `${message} (${account(facts)})`, facts, {
    ...(hint === undefined ? {} : { hint }),
    sections: {
      'End of the console': undefined,
      'Call trace': callTrace(incident.excerpt),
      'What the guest said': lastLines(incident.excerpt, EXCERPT_LINES),
      'Before that': lastLines(before, BEFORE_LINES),
    },
  })
}

/** Creates `EXPECT_ABORTED`. */
export function aborted(facts: FailureFacts, cause: unknown): ExpectError {
  const why = shortMessageOf(cause)
  const what = `The wait for ${describePatterns(facts.patterns)} on "${facts.name}" was aborted after ${formatDuration(facts.elapsedMs)}`
  return failure(ExpectError, 'EXPECT_ABORTED', `${what}: ${why} (${account(facts)})`, facts, { cause })
}

function diagnosis({ patterns, elapsedMs, silentMs, bytes, behind, context, evidence }: FailureFacts): FailureOptions {
  if (bytes === 0 || behind !== undefined) return {}
  const { emulatedBecause, unfinished, typed, isPaused, hasTerminal } = context
  const state = { emulatedBecause, unfinished, typed, isPaused, hasTerminal }
  const seen = { ...evidence, patterns, elapsedMs, silentMs, ...state }
  const { advice, closest, circumstances } = diagnose(seen)
  const lead = {
    'Closest output': lastLines(closest ?? ''),
    Circumstances: circumstances,
  }
  return { ...(advice === '' ? {} : { hint: advice }), lead }
}

function shortMessageOf(error: unknown): string {
  if (ColdbootError.is(error)) return error.shortMessage
  return messageOf(error)
}

/** Adds the end of the console to an error that a search has thrown. */
export function inContext(facts: FailureFacts, error: unknown): Error {
  if (!(error instanceof ExpectError)) return types.isNativeError(error) ? error : new Error(String(error))
  return failure(ExpectError, error.code, error.shortMessage, facts, { cause: error })
}

interface FailureOptions extends ColdbootErrorOptions {
  /** Sections printed above the end of the console. */
  readonly lead?: Readonly<Record<string, string | undefined>>
}

function failure<Failure extends ExpectError>(
  Class: new (code: ErrorCode, message: string, options: ColdbootErrorOptions) => Failure,
  code: ErrorCode,
  message: string,
  facts: FailureFacts,
  { lead, ...extra }: FailureOptions = {},
): Failure {
  const { context, bytes, tail, frames } = facts
  const hint = bytes === 0 && tail === '' && code !== 'EXPECT_ABORTED' ? { hint: silenceHint(context) } : {}
  const error = new Class(code, message, {
    ...hint,
    ...extra,
    sections: {
      ...lead,
      'End of the console': lastLines(tail) || '(nothing was printed)',
      ...extra.sections,
      'Command line': context.commandLine && shortCommandLine(context.commandLine),
      Log: context.logFile,
    },
  })
  error.stack = `${error.name}: ${error.message}\n${frames}`
  return error
}

function account({ bytes, silentMs, unmatched, dropped, behind, tail }: FailureFacts): string {
  if (behind !== undefined) return `an earlier wait, for ${behind}, was still pending`
  if (bytes === 0 || silentMs === undefined) {
    return tail === '' ? 'it has printed nothing (0 bytes)' : 'it has printed nothing since it was restored'
  }
  const parts = [`last byte ${formatDuration(silentMs)} ago`, `${count(bytes, 'byte')} since the start`]
  parts.push(
    unmatched === 0 ? 'nothing since the previous match' : `${count(unmatched, 'character')} since the previous match`,
  )
  if (dropped > 0)
    parts.push(`the first ${count(dropped, 'character')} of them not searched because they are no longer in memory`)
  return parts.join(', ')
}

function silenceHint({ arch, consoleDevice, commandLine }: ConsoleContext): string {
  const kernel = `the kernel is built for ${arch ?? 'the architecture of the machine'}`
  const fits = `${kernel} and supports this machine, and that \`memory\` is enough for it and its initramfs`
  if (consoleDevice !== undefined && commandLine?.some((word) => word.includes(`console=${consoleDevice}`))) {
    return `The kernel arguments name this console (\`console=${consoleDevice}\`). Raise the timeout if the machine is only slow. Otherwise check that ${fits}.`
  }
  const device = consoleDevice === undefined ? 'the first serial port' : `\`console=${consoleDevice}\``
  return `Check that the kernel arguments name this console (${device}), that ${fits}.`
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`
}
