/** Runs commands with the agent of `@coldboot/guest`. They run concurrently and do not appear on the console. */

import { constants } from 'node:os'
import { formatDuration } from '../../format-duration.ts'
import { now } from '../../host/clock.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import type { CommandFailure, CommandOutcome, CommandTransport, GuestEnd } from '../command-transport.ts'
import * as transports from '../command-transport.ts'
import { MOST_BYTES, OutputBuffer, TooMuchOutput } from '../output-buffer.ts'
import type { CommandRequest } from '../run-options.ts'
import { Interrupted, type Limits, within } from '../waiting.ts'
import { type AgentConnection, OtherVersion } from './agent-connection.ts'
import { AgentFileTransport } from './agent-file-transport.ts'
import { AgentRefusal, AgentRestarted, NotWhole, sendFile } from './agent-files.ts'
import * as frames from './agent-frames.ts'
import { noteUse } from './last-use.ts'

/** Time for a command to end after SIGTERM. Milliseconds, before the multiplier. */
const GRACE_MS = 500
/** Time for a command to end after SIGKILL. Milliseconds, before the multiplier. */
const KILL_MS = 5_000

/** Longest command passed as an argument, bytes. The Linux kernel limits an argument to 128 KiB. */
const LONGEST_ARGUMENT = 120_000

/** Options of {@link AgentTransport}. */
export interface AgentTransportOptions {
  readonly connection: AgentConnection
  /** Multiplies a timeout by `timeoutMultiplier`. */
  readonly scale: (milliseconds: number) => number
  /** Resolves when no command can run in the guest any more. */
  readonly over: Promise<GuestEnd>
}

/** Runs commands with the agent of one machine. */
export class AgentTransport implements CommandTransport {
  readonly via = 'agent'
  readonly files: AgentFileTransport
  readonly #options: AgentTransportOptions

  constructor(options: AgentTransportOptions) {
    this.#options = options
    this.files = new AgentFileTransport(options.connection, options.over)
  }

  async run(request: CommandRequest): Promise<CommandOutcome> {
    noteUse('agent')
    const { connection, over } = this.#options
    const { timeoutMs, signal } = request
    const limits = { timeoutMs, signal, over }
    const startedAt = now()
    let isReady = false
    try {
      await within(connection.ready(), limits)
      isReady = true
      return await new AgentRun(this.#options, request, await this.#text(request, limits)).run()
    } catch (error) {
      return transports.failed(notStarted(error, timeoutMs, isReady), now() - startedAt)
    }
  }

  /** The command text. A command that is too long for an argument is sent as a file, and the text runs the file. */
  async #text({ command }: CommandRequest, limits: Limits): Promise<string> {
    if (Buffer.byteLength(command) <= LONGEST_ARGUMENT) return command
    const path = `/tmp/.coldboot-${nodeCrypto().randomBytes(8).toString('hex')}`
    await sendFile(this.#options.connection, path, Buffer.from(command), 0o600, limits)
    return `exec 9<${path}; rm ${path}; exec sh /proc/self/fd/9`
  }
}

/** One running command. */
class AgentRun {
  readonly #options: AgentTransportOptions
  readonly #request: CommandRequest
  readonly #text: string
  readonly #out = new OutputBuffer()
  readonly #err = new OutputBuffer()
  readonly #over = Promise.withResolvers<frames.AgentFrame>()
  #startedAt = now()
  #id = 0

  constructor(options: AgentTransportOptions, request: CommandRequest, text: string) {
    this.#options = options
    this.#request = request
    this.#text = text
  }

  /** Runs the command. @throws AgentRestarted, Interrupted if it was not started */
  async run(): Promise<CommandOutcome> {
    const { connection, over } = this.#options
    const { timeoutMs, signal, cwd = '', env } = this.#request
    using request = connection.request(
      (frame) => this.#take(frame),
      () => this.#over.reject(new AgentRestarted()),
    )
    this.#id = request.id
    await this.#sendInput({ timeoutMs, signal, over })
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const count = Buffer.alloc(4)
    count.writeUInt32LE(variables.length)
    const payload = [frames.encodeTexts([cwd]), count, frames.encodeTexts([...variables, this.#text])]
    this.#startedAt = now()
    connection.send(frames.encodeFrame(frames.EXEC, this.#id, Buffer.concat(payload)))
    try {
      const frame = await within(this.#over.promise, { timeoutMs, signal, over })
      return this.#ended(frame)
    } catch (error) {
      return await this.#interrupted(error)
    }
  }

  /** Sends the standard input. @throws AgentRestarted, Interrupted */
  async #sendInput(limits: Limits): Promise<void> {
    const { connection } = this.#options
    const stop = new AbortController()
    try {
      const sent = connection.sendAll(frames.INPUT, this.#id, this.#request.input, stop.signal)
      await within(Promise.race([sent, this.#over.promise]), limits)
    } catch (error) {
      stop.abort()
      // Removes the input from the agent, which supports only a few commands at once.
      connection.send(this.#signalFrame(constants.signals.SIGKILL))
      throw error
    }
  }

  #signalFrame(signal: number): Buffer {
    const number = Buffer.alloc(4)
    number.writeUInt32LE(signal)
    return frames.encodeFrame(frames.KILL, this.#id, number)
  }

  get #duration(): number {
    return now() - this.#startedAt
  }

  #take(frame: frames.AgentFrame): void {
    if (frame.type === frames.OUT) this.#out.add(frame.payload)
    else if (frame.type === frames.ERR) this.#err.add(frame.payload)
    else this.#over.resolve(frame)
    if (this.#out.length + this.#err.length > MOST_BYTES) this.#over.reject(new TooMuchOutput())
  }

  #ended({ type, payload }: frames.AgentFrame): CommandOutcome {
    const duration = this.#duration
    if (type === frames.FAIL) {
      const { cwd } = this.#request
      const refusal = new AgentRefusal(payload.readUInt32LE(0))
      if (payload.readUInt8(4) === frames.AT_DIRECTORY)
        return transports.failed(transports.noDirectory(cwd ?? ''), duration)
      return transports.failed(
        { code: 'COMMAND_NOT_STARTED', message: `was not started: ${refusal.message}` },
        duration,
      )
    }
    const exitCode = exitCodeOf(payload.readUInt32LE(0))
    return { exitCode, stdout: this.#out.whole(), stderr: this.#err.whole(), duration }
  }

  async #interrupted(error: unknown): Promise<CommandOutcome> {
    const duration = this.#duration
    const failure = this.#failure(error)
    const isAlive = !(error instanceof AgentRestarted) && !(error instanceof Interrupted && error.reason === 'over')
    if (isAlive) await this.#kill()
    return { exitCode: undefined, stdout: this.#out.end(), stderr: this.#err.end(), duration, failure }
  }

  #failure(error: unknown): CommandFailure {
    if (error instanceof AgentRestarted) {
      return { code: 'COMMAND_LOST', message: 'was lost because the agent in the guest was restarted' }
    }
    if (error instanceof TooMuchOutput) return transports.tooMuch(MOST_BYTES)
    if (!(error instanceof Interrupted)) throw error
    if (error.end !== undefined) return transports.lost(error.end, true)
    return error.reason === 'time'
      ? transports.timedOut(this.#request.timeoutMs)
      : transports.aborted(error.cause, true)
  }

  /** Kills the process group of the command. */
  async #kill(): Promise<void> {
    const { scale, over } = this.#options
    const ended = this.#over.promise.then(
      () => {},
      () => {},
    )
    const steps = [
      [constants.signals.SIGTERM, GRACE_MS],
      [constants.signals.SIGKILL, KILL_MS],
    ] as const
    for (const [signal, milliseconds] of steps) {
      this.#options.connection.send(this.#signalFrame(signal))
      try {
        await within(ended, { timeoutMs: scale(milliseconds), over })
        return
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
      }
    }
  }
}

/** Converts a status of wait(2) to an exit code as in a shell: 128 plus the number of a signal. */
function exitCodeOf(status: number): number {
  const signal = status & 0x7f
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal
}

/** @param isReady whether the agent had answered before */
function notStarted(error: unknown, timeoutMs: number, isReady: boolean): CommandFailure {
  if (error instanceof AgentRefusal || error instanceof NotWhole)
    return { code: 'COMMAND_NOT_STARTED', message: `was not started: ${error.message}` }
  if (error instanceof AgentRestarted)
    return { code: 'COMMAND_LOST', message: 'was not started: the agent in the guest was restarted' }
  if (error instanceof OtherVersion) {
    const hint = 'Use @coldboot/guest and @coldboot/core of the same version.'
    return { code: 'AGENT_SILENT', message: `was not started: ${error.message}`, hint }
  }
  if (!(error instanceof Interrupted)) throw error
  if (error.end !== undefined) return transports.lost(error.end, false)
  if (error.reason === 'aborted') return transports.aborted(error.cause, false)
  if (isReady) {
    const message = `was not started: the guest did not read its text and input within ${formatDuration(timeoutMs)}`
    return { code: 'COMMAND_TIMEOUT', message }
  }
  return {
    code: 'AGENT_SILENT',
    message: `was not started: no agent answered within ${formatDuration(timeoutMs)}`,
  }
}
