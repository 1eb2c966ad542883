/** Runs commands inside a guest, with the first of the transports in `GUEST_TRANSPORTS` that the machine has. */

import { PAUSED_ADVICE } from '../console/failure/diagnosis.ts'
import { guestSections } from '../console/failure/guest-sections.ts'
import { OptionError } from '../errors.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import { anySignal } from '../host/any-signal.ts'
import { hintForCommand } from './command-hint.ts'
import { aborted, type CommandOutcome, type CommandTransport, failed, type GuestEnd } from './command-transport.ts'
import { formatCommand, GuestCommandError, isSilence } from './guest-command-error.ts'
import {
  type CommandRequest,
  type CommandResult,
  checkRunOptions,
  commandText,
  GUEST_TRANSPORTS,
  type GuestTransport,
  type OutputEncoding,
  type OutputOf,
  type RunOptions,
} from './run-options.ts'
import { Interrupted, unlessAborted } from './waiting.ts'

/** Options of {@link Guest}. */
export interface GuestOptions {
  /** Name of the machine. */
  readonly name: string
  /** The transports into the guest. */
  readonly transports: readonly CommandTransport[]
  /** Default timeout of commands, milliseconds, already multiplied by `timeoutMultiplier`. */
  readonly timeoutMs: number
  /** Multiplies a timeout by `timeoutMultiplier`. */
  readonly scale: (milliseconds: number) => number
  /** Ends all commands and other calls into the guest when it aborts. */
  readonly signal: AbortSignal | undefined
  /** Resolves when no command can run in the guest any more. */
  readonly over: Promise<GuestEnd>
  /** Waits for the `ready` pattern, if there is one. */
  readonly ready: () => Promise<unknown>
  /**
   * Sets the clock of a restored guest. The agent of `@coldboot/guest` also adds entropy. Undefined if the guest has no
   * agent.
   */
  readonly resync?: (() => Promise<void>) | undefined
  /** Receives the start and the end of each command. @default none */
  readonly onEvent?: ((event: MachineEvent) => void) | undefined
  /** See {@link Guest.explaining}. @default none */
  readonly explaining?: (() => readonly CommandTransport[]) | undefined
  /** Whether the CPUs of the machine are paused. @default never */
  readonly isPaused?: (() => boolean) | undefined
  /** Sections about the machine for errors: text by title. */
  readonly sections: () => Readonly<Record<string, string | undefined>>
}

const FAILED_HINT = 'See its output. With `check: false`, the exit code is returned and nothing is thrown.'
const TOO_LATE_HINT = 'Use the machine before it ends: before `close()`, and before the guest powers off.'
const NO_INPUT = new Uint8Array(0)

/** The guest of one machine. */
export class Guest {
  readonly #options: GuestOptions
  #commands = 0
  #end: GuestEnd | undefined

  constructor(options: GuestOptions) {
    this.#options = options
    void options.over.then((end) => {
      this.#end = end
    })
  }

  /** Name of the machine. */
  get name(): string {
    return this.#options.name
  }

  /** See {@link GuestOptions.over}. */
  get over(): Promise<GuestEnd> {
    return this.#options.over
  }

  /** Hint for a call that timed out, if the machine is paused; otherwise undefined. */
  get adviceOnSilence(): string | undefined {
    return this.#options.isPaused?.() === true ? PAUSED_ADVICE : undefined
  }

  /** See {@link GuestOptions.scale}. */
  scale(milliseconds: number): number {
    return this.#options.scale(milliseconds)
  }

  /**
   * See {@link GuestOptions.ready}. Ends early when the signal of the caller aborts. That of the machine ends it with an
   * error that explains more.
   * @throws Interrupted
   */
  ready(signal: AbortSignal | undefined): Promise<unknown> {
    return unlessAborted(this.#options.ready(), signal)
  }

  /** Passes an event to the observer of the machine. */
  emit(event: MachineEvent): void {
    this.#options.onEvent?.(event)
  }

  /** See {@link GuestOptions.resync}. */
  async resync(): Promise<void> {
    await this.#options.resync?.()
  }

  /**
   * See `VM.run`.
   * @param onOutput receives the bytes of the standard output, also if the command fails
   */
  async run<const Options extends RunOptions = Record<never, never>>(
    command: string | readonly string[],
    options: Options = {} as Options,
    onOutput?: (stdout: Uint8Array) => void,
  ): Promise<CommandResult<OutputOf<Options>>> {
    return this.#run(command, options, () => this.ready(options.signal), onOutput)
  }

  /** Runs commands without waiting for `ready`, for example to attach devices during the start. */
  get starting(): { readonly name: string; run(command: string, options: RunOptions): Promise<unknown> } {
    return { name: this.name, run: (command, options) => this.#run(command, options, async () => {}) }
  }

  async #run<const Options extends RunOptions>(
    command: string | readonly string[],
    options: Options,
    ready: () => Promise<unknown>,
    onOutput?: (stdout: Uint8Array) => void,
  ): Promise<CommandResult<OutputOf<Options>>> {
    checkRunOptions('run', options)
    const transport = this.transport(options.via)
    const request = this.#request(commandText('run', command), options)
    const outcome = await this.#outcome(transport, request, ready)
    onOutput?.(outcome.stdout)
    const decode = (bytes: Uint8Array): OutputOf<Options> => decodeOutput(bytes, options.encoding) as OutputOf<Options>
    const [stdout, stderr] = [decode(outcome.stdout), decode(outcome.stderr)]
    const { exitCode, duration } = outcome
    const facts = { command: request.command, exitCode, stdout, stderr, duration, via: transport.via }
    if (exitCode === undefined || outcome.failure !== undefined || (exitCode !== 0 && options.check !== false)) {
      throw this.#error(outcome, { ...facts, machine: this.name })
    }
    return Object.freeze({ ...facts, exitCode })
  }

  async #outcome(
    transport: CommandTransport,
    request: CommandRequest,
    ready: () => Promise<unknown>,
  ): Promise<CommandOutcome> {
    try {
      await ready()
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
      return this.#end ? tooLate(this.#end) : failed(aborted(error.cause, false), 0)
    }
    return this.#end ? tooLate(this.#end) : this.#observed(transport, request)
  }

  async #observed(transport: CommandTransport, request: CommandRequest): Promise<CommandOutcome> {
    const { onEvent } = this.#options
    if (onEvent === undefined) return transport.run(request)
    const command = { id: ++this.#commands, command: request.command, via: transport.via }
    onEvent({ kind: 'command', ...command })
    const outcome = await transport.run(request)
    const { exitCode, duration, failure } = outcome
    onEvent({ kind: 'result', ...command, exitCode, duration, ...(failure ? { message: failure.message } : {}) })
    return outcome
  }

  /**
   * Returns the transport with this name. Without a name, returns the first one in `GUEST_TRANSPORTS` that the machine
   * has.
   * @throws OptionError `INVALID_OPTION` when the machine does not have the transport
   */
  transport(name: GuestTransport | undefined): CommandTransport {
    const { transports } = this.#options
    const order = name === undefined ? GUEST_TRANSPORTS : [name]
    const transport = order
      .map((one) => transports.find((candidate) => candidate.via === one))
      .find((one) => one !== undefined)
    if (transport !== undefined) return transport
    throw new OptionError('INVALID_OPTION', `Machine "${this.name}" does not support \`via: '${name}'\``, {
      hint: `It supports ${transports.map((one) => `\`'${one.via}'\``).join(', ')}. The options \`agent\` and \`guestAgent\` add others.`,
    })
  }

  /**
   * Transports to collect diagnostics after a failed test, the best one first. They work even after the signal of the
   * machine has aborted or the guest has failed, and leave no trace in the log.
   */
  explaining(): readonly CommandTransport[] {
    return this.#options.explaining?.() ?? []
  }

  /** Combines the signal of the caller with that of the machine. */
  signal(signal: AbortSignal | undefined): AbortSignal | undefined {
    return anySignal(signal, this.#options.signal)
  }

  #request(command: string, options: RunOptions): CommandRequest {
    const { timeoutMs, scale } = this.#options
    const { input, timeout } = options
    return {
      command,
      timeoutMs: timeout === undefined ? timeoutMs : scale(timeout),
      cwd: options.cwd,
      env: options.env ?? {},
      input: typeof input === 'string' ? Buffer.from(input) : (input ?? NO_INPUT),
      signal: this.signal(options.signal),
    }
  }

  #error({ failure }: CommandOutcome, facts: ConstructorParameters<typeof GuestCommandError>[2]): GuestCommandError {
    const what = `The command ${formatCommand(facts.command)} in "${this.name}"`
    if (failure === undefined) {
      const message = `${what} failed with exit code ${facts.exitCode}`
      const hint = hintForCommand(facts.exitCode ?? 0, facts.stderr ?? '') ?? FAILED_HINT
      return new GuestCommandError('COMMAND_FAILED', message, facts, { hint })
    }
    const sections = { ...failure.sections, ...this.#options.sections() }
    const { code, message, cause } = failure
    const hint = (isSilence(code) ? this.adviceOnSilence : undefined) ?? failure.hint
    const extra = { ...(hint === undefined ? {} : { hint }), ...(cause === undefined ? {} : { cause }) }
    return new GuestCommandError(code, `${what} ${message}`, facts, { ...extra, sections })
  }
}

function tooLate({ code, how, excerpt }: GuestEnd): CommandOutcome {
  const message = `was not started because ${how}`
  const hint = code === 'COMMAND_LOST' ? { hint: TOO_LATE_HINT } : {}
  return failed({ code, message, ...hint, sections: guestSections(excerpt) }, 0)
}

/** Returns output as text, or as bytes for `'buffer'`. */
export function decodeOutput(bytes: Uint8Array, encoding: 'utf8'): string
export function decodeOutput(bytes: Uint8Array, encoding: OutputEncoding | undefined): string | Uint8Array
export function decodeOutput(bytes: Uint8Array, encoding: OutputEncoding | undefined): string | Uint8Array {
  return encoding === 'buffer' ? new Uint8Array(bytes) : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
