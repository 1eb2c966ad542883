/**
 * The serial console of a machine: takes in all that is printed, always, and serves those who wait for some of it.
 *
 * bytes → {@link Transcript} and watchers → UTF-8 → {@link ConsoleText} and its views → {@link WaitQueue}
 */
import type { Duplex, Writable } from 'node:stream'
import { MachineError } from '../errors.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import { CallSite } from '../host/call-site.ts'
import { now, startTimer, stopTimer } from '../host/clock.ts'
import { ConsoleInput } from './console-input.ts'
import { checkExpectOptions, checkViewOptions, type ExpectOptions } from './expect/expect-options.ts'
import { PATIENT_SETTLE_MS } from './expect/quiet-timer.ts'
import { WaitQueue } from './expect/wait-queue.ts'
import { type ConsoleContext, guestFailed, TAIL_CHARACTERS } from './failure/expect-failure.ts'
import type { GuestFailureOptions } from './incident/guest-failure-options.ts'
import type { Incident } from './incident/incident.ts'
import type { GuestFailureName, IncidentKind } from './incident/incident-kinds.ts'
import { IncidentWatch } from './incident/incident-watch.ts'
import type { Transcript } from './log/transcript.ts'
import { describePatterns, type Match, type PatternInput, patternList } from './match/pattern.ts'
import { type Guard, makeGuard } from './match/regexp-guard.ts'
import { searchScrollback } from './match/scrollback.ts'
import { OutputTee } from './output-tee.ts'
import { type Additions, ConsoleText, KEPT_CHARACTERS, newUtf8Decoder } from './text/console-text.ts'

/** After the machine's exit its socket is read to the end, but no longer than this, milliseconds. */
const DRAIN_MS = 2_000

/** Options of {@link Console}. */
export interface ConsoleOptions {
  /** The machine's name, for messages. */
  readonly name: string
  readonly transcript: Transcript
  /** How long an `expect` waits unless it says so itself, milliseconds, the multiplier applied. */
  readonly timeoutMs: number
  /** Applies the multiplier to times that callers give. @default none */
  readonly scale?: (milliseconds: number) => number
  /** What errors tell of the machine. @default nothing */
  readonly describe?: () => ConsoleContext
  /** Get a copy of every byte. @default none */
  readonly sinks?: readonly Writable[]
  /** Told when a watcher fails or is too slow. @default nobody */
  readonly onWarning?: (message: string) => void
  /** What is watched for, and what is allowed. @default everything, nothing */
  readonly failOn?: GuestFailureOptions
  /** Told of everything the monitors saw, allowed or not. */
  readonly onIncident?: (incident: Incident) => void
  /** Told of what is typed and awaited. @default nobody */
  readonly onEvent?: ((event: MachineEvent) => void) | undefined
  /** Characters kept in memory. @default 16_777_216 */
  readonly keep?: number
}

/** Sees every chunk as it comes, and returns how many of its first bytes it consumes. */
export type Watcher = (chunk: Uint8Array) => number

/** A wait that is not over. */
export interface PendingWait {
  /** For messages: `"login: "`. */
  readonly pattern: string
  /** How long it has been waiting, milliseconds. */
  readonly sinceMs: number
  /** `file:line:column` of the call. */
  readonly location: string | undefined
}

/** The console of one machine. */
export class Console {
  readonly #options: ConsoleOptions
  readonly #scale: (milliseconds: number) => number
  readonly #guard: Guard
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
    this.#guard = makeGuard(this.#scale)
    this.#outputTee = new OutputTee(options.sinks ?? [], options.onWarning ?? (() => {}))
    this.#input = new ConsoleInput(options.name)
    this.#text = new ConsoleText(keep)
    this.#queue = new WaitQueue({
      text: this.#text,
      guard: this.#guard,
      keep,
      patientMs: this.#scale(PATIENT_SETTLE_MS),
      lastByteAt: () => this.#lastByteAt,
      onEvent: options.onEvent,
      describe: () => ({
        name: options.name,
        bytes: options.transcript.bytes,
        context: { ...options.describe?.(), unfinished: this.#input.unfinished },
      }),
    })
    this.#incidentWatch = new IncidentWatch({
      settings: options.failOn ?? {},
      guard: this.#guard,
      scale: this.#scale,
      onIncident: (incident, kind) => this.#fail(incident, kind),
      onWarning: options.onWarning ?? (() => {}),
    })
  }

  /** Connects the machine. Its output is read from now on, whether anyone waits for it or not. */
  attach(stream: Duplex): void {
    this.#attached = true
    this.#input.attach(stream)
    // QEMU's exit resets the connection when it had not read everything: that is the end of the output, no error.
    for (const event of ['end', 'error', 'close']) stream.on(event, () => this.#closed.resolve())
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk))
  }

  /**
   * Takes in what an earlier life of the machine printed: it is part of the log and of what was printed, and the cursor is
   * behind it. Before {@link attach}.
   */
  recall(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#receive(bytes, false)
    this.#lastByteAt = undefined
    this.#queue.consumeAll()
  }

  /**
   * Waits until a pattern matches behind the cursor, and consumes up to the end of the match. Waits are served in the order
   * they were asked; the time of each counts from its call. What counts as a match: see expect-buffer.ts.
   *
   * @throws ExpectError `EXPECT_TIMEOUT` (nothing is consumed), `EXPECT_EXITED`, `EXPECT_ABORTED`, `PATTERN_TOO_SLOW`
   * @throws GuestError `GUEST_*` when the guest failed, and what was printed until then does not match
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
      return Promise.reject(error instanceof Error ? error : new TypeError(String(error)))
    }
  }

  /**
   * Looks for a pattern in everything printed so far, as if nothing followed. Does not wait, does not consume.
   *
   * @throws ExpectError `OUTPUT_DROPPED` when neither memory nor the log has all of it, and the rest does not match
   * @throws ExpectError `PATTERN_TOO_SLOW`
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
   */
  hasPrinted(pattern: PatternInput, options: Pick<ExpectOptions, 'view'> = {}): Match | undefined {
    checkViewOptions(options)
    const { name, transcript } = this.#options
    const history = { name, transcript, text: this.#text, guard: this.#guard }
    return searchScrollback(history, patternList(pattern), options.view ?? 'clean')
  }

  /**
   * Shows `watcher` all that comes from now on, before anyone who waits. What it consumes is shown to those who wait
   * already; those who begin to, begin behind it.
   */
  watch(watcher: Watcher): Disposable {
    this.#watchers.add(watcher)
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) }
  }

  /**
   * Types: a string as UTF-8, or bytes. Returns at once; the machine takes them as fast as its device does. A terminal in
   * line mode (canonical, as a shell without line editing has it) takes lines of at most 4095 bytes and loses longer ones.
   *
   * @throws OptionError `INVALID_OPTION` for what is neither a string nor bytes
   * @throws MachineError `MACHINE_EXITED`
   */
  send(data: string | Uint8Array): void {
    this.#input.write(data)
    this.#options.onEvent?.({ kind: 'send', data })
  }

  /**
   * Resolves when everything sent has left for the machine.
   * @throws MachineError `MACHINE_EXITED` when it ended before
   */
  drained(): Promise<void> {
    return this.#input.drained()
  }

  /** What is being waited for, oldest first. */
  get pendingWaits(): readonly PendingWait[] {
    return this.#queue.waits.map(({ request, startedAt }) => ({
      pattern: describePatterns(request.patterns),
      sinceMs: now() - startedAt,
      location: request.callSite.location,
    }))
  }

  /** What the monitors saw, allowed or not, oldest first. */
  get incidents(): readonly Incident[] {
    return this.#incidents
  }

  /** QEMU reported something that happened to the guest. */
  event(failure: GuestFailureName, message: string): void {
    this.#incidentWatch.event(failure, message)
  }

  /** The clean text so far; of a very long one the end. */
  text(): string {
    const view = this.#text.view('clean')
    return view.slice(view.start)
  }

  /** What was printed, as it was sent but for bytes that are no UTF-8; of a very long console the end. */
  raw(): string {
    const view = this.#text.view('raw')
    return view.slice(view.start)
  }

  /**
   * The machine has exited: reads what it still has to say, matches that, and then rejects every wait. Idempotent.
   * @param reason makes the error that says how it ended, once everything was read
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

  /** Waits are served before the monitors look: what is printed with a panic can still be awaited. */
  #take(additions: Additions, watched = true): void {
    this.#queue.take(additions)
    if (watched) this.#incidentWatch.take(additions.clean ?? '')
  }

  #fail(incident: Incident, kind: IncidentKind): void {
    this.#incidents.push(incident)
    if (!incident.allowed) {
      const clean = this.#text.view('clean')
      const tail = clean.slice(clean.end - TAIL_CHARACTERS)
      const [first = ''] = incident.excerpt.split('\n')
      const before = first === '' ? tail : tail.slice(0, Math.max(0, tail.lastIndexOf(first)))
      const { what, hint } = kind
      this.#queue.fail((facts) => guestFailed(facts, { incident, what, hint, before }))
    }
    this.#options.onIncident?.(incident)
  }
}
