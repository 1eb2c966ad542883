/**
 * Serial console of a machine. Reads all output and resolves pending expects.
 *
 * bytes → {@link Transcript} and watchers → UTF-8 → {@link ConsoleText} and its views → {@link WaitQueue}
 */

import type { Duplex, Writable } from 'node:stream'
import { types } from 'node:util'
import { MachineError } from '../errors.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import { CallSite } from '../host/call-site.ts'
import { now, startTimer, stopTimer } from '../host/clock.ts'
import { ConsoleInput } from './console-input.ts'
import { checkExpectOptions, checkViewOptions, type ExpectOptions } from './expect/expect-options.ts'
import { PATIENT_SETTLE_MS } from './expect/quiet-timer.ts'
import { WaitQueue } from './expect/wait-queue.ts'
import { type ConsoleContext, guestFailed } from './failure/expect-failure.ts'
import { TAIL_CHARACTERS } from './failure/last-lines.ts'
import type { GuestFailureOptions } from './incident/guest-failure-options.ts'
import type { Incident } from './incident/incident.ts'
import type { GuestFailureName, IncidentKind } from './incident/incident-kinds.ts'
import { IncidentWatch } from './incident/incident-watch.ts'
import type { Transcript } from './log/transcript.ts'
import { describePatterns, type Match, type PatternInput, patternList } from './match/pattern.ts'
import { makeRegExpTimeout, type RegExpTimeout } from './match/regexp/regexp-timeout.ts'
import { searchScrollback } from './match/scrollback.ts'
import { OutputTee } from './output-tee.ts'
import { type Additions, ConsoleText, KEPT_CHARACTERS, newUtf8Decoder } from './text/console-text.ts'

/** Longest time to read the rest of the output after the exit of the machine, milliseconds. */
const DRAIN_MS = 2_000

/** Options of {@link Console}. */
export interface ConsoleOptions {
  /** Name of the machine, for messages. */
  readonly name: string
  readonly transcript: Transcript
  /** Default timeout of `expect`, milliseconds, after the multiplier. */
  readonly timeoutMs: number
  /** Multiplies a timeout by `timeoutMultiplier`. @default no change */
  readonly scale?: (milliseconds: number) => number
  /** Facts about the machine for error messages. @default none */
  readonly describe?: () => ConsoleContext
  /** Streams that receive a copy of every byte. @default none */
  readonly sinks?: readonly Writable[]
  /** Called when a stream of `sinks` fails or is too slow. @default none */
  readonly onWarning?: (message: string) => void
  /** Guest failures that reject waits. @default all built-in ones */
  readonly failOn?: GuestFailureOptions
  /** Called for each guest failure, allowed or not. */
  readonly onIncident?: (incident: Incident) => void
  /** Receives events of input and waits. @default none */
  readonly onEvent?: ((event: MachineEvent) => void) | undefined
  /** Most characters kept in memory. @default 16_777_216 */
  readonly keep?: number
}

/** Receives every chunk of output, and returns how many of its first bytes it consumes. */
export type Watcher = (chunk: Uint8Array) => number

/** A pending wait. */
export interface PendingWait {
  /** The pattern, for messages, such as `"login: "`. */
  readonly pattern: string
  /** Time since the call, milliseconds. */
  readonly sinceMs: number
  /** `file:line:column` of the call. */
  readonly location: string | undefined
}

/** The console of one machine. */
export class Console {
  readonly #options: ConsoleOptions
  readonly #scale: (milliseconds: number) => number
  readonly #regExpTimeout: RegExpTimeout
  readonly #outputTee: OutputTee
  readonly #input: ConsoleInput
  readonly #utf8 = newUtf8Decoder()
  readonly #text: ConsoleText
  readonly #queue: WaitQueue
  readonly #incidentWatch: IncidentWatch
  readonly #incidents: Incident[] = []
  readonly #closed = Promise.withResolvers<void>()
  readonly #watchers = new Set<Watcher>()
  #attached = false
  #lastByteAt: number | undefined
  #ending: Promise<void> | undefined

  constructor(options: ConsoleOptions) {
    const keep = options.keep ?? KEPT_CHARACTERS
    this.#options = options
    this.#scale = options.scale ?? ((milliseconds) => milliseconds)
    this.#regExpTimeout = makeRegExpTimeout(this.#scale)
    this.#outputTee = new OutputTee(options.sinks ?? [], options.onWarning ?? (() => {}))
    this.#input = new ConsoleInput(options.name)
    this.#text = new ConsoleText(keep)
    this.#queue = new WaitQueue({
      text: this.#text,
      regExpTimeout: this.#regExpTimeout,
      keep,
      patientMs: this.#scale(PATIENT_SETTLE_MS),
      lastByteAt: () => this.#lastByteAt,
      onEvent: options.onEvent,
      describe: () => ({
        name: options.name,
        bytes: options.transcript.bytes,
        context: { ...options.describe?.(), unfinished: this.#input.unfinished, typed: this.#input.lines },
      }),
    })
    this.#incidentWatch = new IncidentWatch({
      settings: options.failOn ?? {},
      regExpTimeout: this.#regExpTimeout,
      scale: this.#scale,
      onIncident: (incident, kind) => this.#fail(incident, kind),
      onWarning: options.onWarning ?? (() => {}),
    })
  }

  /** Connects the machine. From now on all its output is read, with or without waits. */
  attach(stream: Duplex): void {
    this.#attached = true
    this.#input.attach(stream)
    // QEMU resets the connection if it exits with unread input. This is the end of the output, not an error.
    for (const event of ['end', 'error', 'close']) stream.on(event, () => this.#closed.resolve())
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk))
  }

  /**
   * Adds the recorded output of a template to the log and to the text before the cursor, for a restored machine. Call
   * it before {@link attach}.
   */
  recall(bytes: Uint8Array, isLogged = false): void {
    if (bytes.length > 0 && isLogged) this.#take(this.#decoded(bytes), false)
    else if (bytes.length > 0) this.#receive(bytes, false)
    this.#lastByteAt = undefined
    this.#queue.consumeAll()
  }

  /**
   * Waits until a pattern matches after the cursor, and consumes the output up to the end of the match. Waits are
   * served in the order of their calls; the timeout of each counts from its call. See expect-buffer.ts for the matching
   * rules.
   *
   * @throws ExpectError `EXPECT_TIMEOUT` (nothing is consumed), `EXPECT_EXITED`, `EXPECT_ABORTED`, `PATTERN_TOO_SLOW`
   * @throws GuestError `GUEST_*` when the guest failed, and the output until then does not match
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  expect(pattern: PatternInput, options: ExpectOptions = {}): Promise<Match> {
    try {
      checkExpectOptions(options)
      const { timeout, idleTimeout, signal } = options
      return this.#queue.add({
        patterns: patternList(pattern),
        view: options.view ?? 'clean',
        timeoutMs: timeout === undefined ? this.#options.timeoutMs : this.#scale(timeout),
        idleMs: idleTimeout === undefined ? Infinity : this.#scale(idleTimeout),
        signal,
        callSite: new CallSite(),
      })
    } catch (error) {
      return Promise.reject(types.isNativeError(error) ? error : new TypeError(String(error)))
    }
  }

  /**
   * Searches all output so far, as if it were complete. Does not wait and does not consume.
   *
   * @throws ExpectError `OUTPUT_DROPPED` when neither memory nor the log has all output, and the rest does not match
   * @throws ExpectError `PATTERN_TOO_SLOW`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  hasPrinted(pattern: PatternInput, options: Pick<ExpectOptions, 'view'> = {}): Match | undefined {
    checkViewOptions(options)
    const { name, transcript } = this.#options
    const history = { name, transcript, text: this.#text, regExpTimeout: this.#regExpTimeout }
    return searchScrollback(history, patternList(pattern), options.view ?? 'clean')
  }

  /**
   * Passes all further output to `watcher`, before any wait. If it consumes bytes, the cursor moves to their end, so
   * only waits that are already pending search them.
   */
  watch(watcher: Watcher): Disposable {
    this.#watchers.add(watcher)
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) }
  }

  /**
   * Types a string, as UTF-8, or bytes. Returns at once; the machine reads them as fast as its serial device allows. A
   * terminal in canonical mode (such as that of a shell without line editing) truncates lines of more than 4095 bytes.
   *
   * @param isAnswer true for an answer of the terminal, false for input of the test
   * @throws OptionError `INVALID_OPTION` if `data` is neither a string nor bytes
   * @throws MachineError `MACHINE_EXITED`
   */
  send(data: string | Uint8Array, isAnswer = false): void {
    this.#input.write(data)
    if (!isAnswer) this.#options.onEvent?.({ kind: 'send', data })
  }

  /**
   * Resolves when all input has been written to the machine.
   * @throws MachineError `MACHINE_EXITED` when the machine ends before
   */
  drained(): Promise<void> {
    return this.#input.drained()
  }

  /** Pending waits, oldest first. */
  get pendingWaits(): readonly PendingWait[] {
    return this.#queue.waits.map(({ request, startedAt }) => ({
      pattern: describePatterns(request.patterns),
      sinceMs: now() - startedAt,
      location: request.callSite.location,
    }))
  }

  /** Guest failures so far, allowed or not, oldest first. */
  get incidents(): readonly Incident[] {
    return this.#incidents
  }

  /** Adds a guest failure that QEMU reported. */
  event(failure: GuestFailureName, message: string): void {
    this.#incidentWatch.event(failure, message)
  }

  /** Reports a failure whose text is incomplete, because the guest has restarted. A panic may end with a restart. */
  readonly guestRestarted: () => void = () => this.#incidentWatch.finish()

  /** The clean text so far, or its end if it is very long. */
  text(): string {
    const view = this.#text.view('clean')
    return view.slice(view.start)
  }

  /** The raw text so far (invalid UTF-8 replaced), or its end if it is very long. */
  raw(): string {
    const view = this.#text.view('raw')
    return view.slice(view.start)
  }

  /**
   * Ends the console after the exit of the machine: reads and searches the rest of the output, then rejects all waits.
   * Idempotent.
   * @param reason creates the error that describes the exit; called when all output has been read
   */
  end(reason: () => Error): Promise<void> {
    this.#ending ??= this.#end(reason)
    return this.#ending
  }

  async #end(reason: () => Error): Promise<void> {
    if (this.#attached) {
      const timer = startTimer(() => this.#closed.resolve(), this.#scale(DRAIN_MS))
      await this.#closed.promise
      stopTimer(timer)
    }
    this.#take(this.#text.append(this.#utf8.decode()))
    this.#take(this.#text.finish())
    this.#incidentWatch.finish()
    const end = reason()
    this.#input.end(end instanceof MachineError ? end : new MachineError('MACHINE_EXITED', end.message, { cause: end }))
    this.#queue.end(end)
  }

  #receive(chunk: Uint8Array, watched = true): void {
    this.#lastByteAt = now()
    this.#options.transcript.write(chunk)
    this.#outputTee.write(chunk)
    const consumed = Math.max(0, ...[...this.#watchers].map((watcher) => watcher(chunk)))
    if (consumed > 0) {
      this.#take(this.#decoded(chunk.subarray(0, consumed)), watched)
      this.#queue.consumeAll()
    }
    this.#take(this.#decoded(chunk.subarray(consumed)), watched)
  }

  #decoded(chunk: Uint8Array): Additions {
    return this.#text.append(this.#utf8.decode(chunk, { stream: true }))
  }

  /** Passes output to the waits before the incident watch, so that a test can wait for the text of a panic. */
  #take(additions: Additions, watched = true): void {
    this.#queue.take(additions)
    if (watched) this.#incidentWatch.take(additions.clean ?? '')
  }

  #fail(incident: Incident, kind: IncidentKind): void {
    this.#incidents.push(incident)
    if (!incident.allowed) {
      const clean = this.#text.view('clean')
      const tail = clean.slice(clean.end - TAIL_CHARACTERS)
      const first = incident.excerpt.split('\n', 1)[0] ?? ''
      const before = first === '' ? tail : tail.slice(0, Math.max(0, tail.lastIndexOf(first)))
      this.#queue.fail((facts) => guestFailed(facts, { incident, what: kind.what, hint: kind.hint, before }))
    }
    this.#options.onIncident?.(incident)
  }
}
