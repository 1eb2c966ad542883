/** The words of a wait that failed: what was awaited, for how long, what the console did meanwhile, and its end. */
import { ColdbootError, type ColdbootErrorOptions, type ErrorCode, ExpectError, GuestError } from '../../errors.ts'
import type { Incident } from '../incident/incident.ts'
import { describePatterns, type Pattern } from '../match/pattern.ts'
import { diagnose, type Evidence } from './diagnosis.ts'
import { knownCause } from './known-causes.ts'

/** What the console knows of its machine, for messages. */
export interface ConsoleContext {
  /** The guest's architecture, QEMU's name. */
  readonly arch?: string
  /** Linux's name of this console on it, as for `console=`: `ttyS0`. */
  readonly consoleDevice?: string
  /** Why it runs without hardware acceleration, if it does: `/dev/kvm does not exist`. */
  readonly emulatedBecause?: string | undefined
  /** What was typed last without Enter behind it. */
  readonly unfinished?: string
  /** The machine's command line, quoted. */
  readonly commandLine?: string
  /** Path of the console log. */
  readonly logFile?: string | undefined
}

/** State of a console and of a wait at its failure. Times in milliseconds. */
export interface FailureFacts {
  readonly name: string
  readonly patterns: readonly Pattern[]
  readonly elapsedMs: number
  /** Since the last byte; `undefined` when there was none. */
  readonly silentMs: number | undefined
  /** Bytes since the start. */
  readonly bytes: number
  /** Characters behind the cursor that the wait looked at in vain. */
  readonly unmatched: number
  /** Characters that were to be looked at and are no longer kept. */
  readonly dropped: number
  /** The pattern of the wait that was served when this one's turn had not come. */
  readonly behind: string | undefined
  /** The end of the clean text. */
  readonly tail: string
  readonly context: ConsoleContext
  /** What there is to find a cause in. */
  readonly evidence: Omit<Evidence, 'patterns' | 'elapsedMs' | 'silentMs' | 'emulatedBecause' | 'unfinished'>
  /** The frames of the call. */
  readonly frames: string
}

/** What the guest did, in words. */
export interface GuestFailure {
  readonly incident: Incident
  /** `panicked`. */
  readonly what: string
  /** What to do about it; the code's own sentence when not set. */
  readonly hint: string | undefined
  /** The console before it. */
  readonly before: string
}

/** Lines of the console that an error shows, and characters of each. */
const LINES = 20
const EXCERPT_LINES = 100
const BEFORE_LINES = 10
const WIDTH = 160

/** As much of the end of the text as an error can need. */
export const TAIL_CHARACTERS = 16_384

/** `EXPECT_TIMEOUT`. */
export function timedOut(facts: FailureFacts): ExpectError {
  const what = `"${facts.name}" did not print ${describePatterns(facts.patterns)} within ${seconds(facts.elapsedMs)}`
  return failure(ExpectError, 'EXPECT_TIMEOUT', `${what}: ${account(facts)}`, facts, diagnosis(facts))
}

/** `EXPECT_TIMEOUT` of an idle timeout. */
export function fellSilent(facts: FailureFacts, idleMs: number): ExpectError {
  const what = `"${facts.name}" printed nothing for ${seconds(idleMs)} while ${describePatterns(facts.patterns)} was awaited`
  return failure(
    ExpectError,
    'EXPECT_TIMEOUT',
    `${what}, for ${seconds(facts.elapsedMs)} by then: ${account(facts)}`,
    facts,
    diagnosis(facts),
  )
}

/** `EXPECT_EXITED`, with the sections of the reason: what QEMU itself had to say. */
export function exited(facts: FailureFacts, reason: Error): ExpectError {
  const { shortMessage, sections } = ColdbootError.is(reason) ? reason : { shortMessage: reason.message, sections: {} }
  const what = `"${facts.name}" ended before it printed ${describePatterns(facts.patterns)}: ${shortMessage}`
  const cause = knownCause(facts.tail)
  const hint = cause === undefined ? {} : { hint: cause }
  const options = { ...hint, cause: reason, sections }
  return failure(ExpectError, 'EXPECT_EXITED', `${what} (${account(facts)})`, facts, options)
}

/** `GUEST_*`. */
export function guestFailed(facts: FailureFacts, failed: GuestFailure): GuestError {
  const { incident, what, before } = failed
  const meanwhile = `while ${describePatterns(facts.patterns)} was awaited`
  const message = `"${facts.name}" ${what} ${meanwhile}${incident.message === '' ? '' : `: ${printable(incident.message)}`}`
  const hint = failed.hint ?? knownCause(`${before}\n${incident.excerpt}`)
  return failure(GuestError, incident.code, `${message} (${account(facts)})`, facts, {
    ...(hint === undefined ? {} : { hint }),
    sections: {
      'End of the console': undefined,
      'What the guest said': lastLines(incident.excerpt, EXCERPT_LINES),
      'Before that': lastLines(before, BEFORE_LINES),
    },
  })
}

/** `EXPECT_ABORTED`. */
export function aborted(facts: FailureFacts, cause: unknown): ExpectError {
  const why = shortMessageOf(cause)
  const what = `The wait for ${describePatterns(facts.patterns)} on "${facts.name}" was aborted after ${seconds(facts.elapsedMs)}`
  return failure(ExpectError, 'EXPECT_ABORTED', `${what}: ${why} (${account(facts)})`, facts, { cause })
}

function diagnosis({ patterns, elapsedMs, silentMs, bytes, behind, context, evidence }: FailureFacts): FailureOptions {
  if (bytes === 0 || behind !== undefined) return {}
  const { emulatedBecause, unfinished } = context
  const seen = { ...evidence, patterns, elapsedMs, silentMs, emulatedBecause, unfinished }
  const { advice, closest, circumstances } = diagnose(seen)
  const lead = {
    'Closest output': lastLines(closest ?? ''),
    Circumstances: circumstances,
  }
  return { ...(advice === '' ? {} : { hint: advice }), lead }
}

function shortMessageOf(error: unknown): string {
  if (ColdbootError.is(error)) return error.shortMessage
  return error instanceof Error ? error.message : String(error)
}

/** An error met on the way, with the console added. */
export function inContext(facts: FailureFacts, error: unknown): Error {
  if (!(error instanceof ExpectError)) return error instanceof Error ? error : new Error(String(error))
  return failure(ExpectError, error.code, error.shortMessage, facts, { cause: error })
}

/** The last lines for a reader: not too many, not too wide, and without characters that would upset a terminal. */
export function lastLines(text: string, lines: number = LINES): string {
  const all = text.slice(-TAIL_CHARACTERS).trimEnd().split('\n').slice(-lines)
  return all.map((line) => printable(line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line)).join('\n')
}

interface FailureOptions extends ColdbootErrorOptions {
  /** Sections above the end of the console; the others are below. */
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
      'Command line': context.commandLine,
      Log: context.logFile,
    },
  })
  error.stack = `${error.name}: ${error.message}\n${frames}`
  return error
}

function account({ bytes, silentMs, unmatched, dropped, behind, tail }: FailureFacts): string {
  if (behind !== undefined) return `its turn did not come, the wait for ${behind} was before it`
  if (bytes === 0 || silentMs === undefined) {
    return tail === '' ? 'it has printed nothing at all, 0 bytes' : 'it has printed nothing since it was restored'
  }
  const parts = [`last byte ${seconds(silentMs)} ago`, `${count(bytes, 'byte')} since the start`]
  parts.push(
    unmatched === 0 ? 'nothing since the previous match' : `${count(unmatched, 'character')} since the previous match`,
  )
  if (dropped > 0)
    parts.push(`the first ${count(dropped, 'character')} of them no longer kept in memory and not searched`)
  return parts.join(', ')
}

function silenceHint({ arch, consoleDevice, commandLine }: ConsoleContext): string {
  const kernel = `the kernel is one ${arch === undefined ? 'for the architecture of the machine' : `for ${arch}`}`
  const fits = `${kernel} that boots on this machine, with \`memory\` enough for it and its initramfs`
  if (consoleDevice !== undefined && commandLine?.includes(`console=${consoleDevice}`)) {
    return `The kernel's arguments name this console (\`console=${consoleDevice}\`): raise the timeout if the machine is only slow, else check that ${fits}.`
  }
  const device = consoleDevice === undefined ? 'the first serial port' : `\`console=${consoleDevice}\``
  return `Check that the kernel's arguments name this console (${device}), and that ${fits}.`
}

function seconds(milliseconds: number): string {
  return milliseconds < 100 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`
}

function printable(line: string): string {
  return line.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    const code = character.charCodeAt(0)
    return code === 0x0d ? '\\r' : `\\x${code.toString(16).padStart(2, '0')}`
  })
}
