/** Runs commands with QEMU's guest agent, for stock distribution images. */

import { setTimeout as pause } from 'node:timers/promises'
import { formatDuration } from '../../format-duration.ts'
import { now } from '../../host/clock.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import type { CommandFailure, CommandOutcome, CommandTransport, GuestEnd } from '../command-transport.ts'
import * as transports from '../command-transport.ts'
import { KEPT_BYTES, MOST_BYTES, TooMuchOutput } from '../output-buffer.ts'
import { type CommandRequest, withEnvironment } from '../run-options.ts'
import { Interrupted, type Limits, within } from '../waiting.ts'
import { type QgaConnection, QgaRefusal } from './qga-connection.ts'
import { fetchEnd, fetchOutput, sendFile, sizeOfFile } from './qga-files.ts'
import { DIRECTORY_SCRIPT, END_SCRIPT, NO_DIRECTORY, runScript } from './qga-scripts.ts'

/** Interval of checking the output size of a running command. Milliseconds. */
const LOOK_EVERY_MS = 500

/** Timeout of reading the end of an output file. Milliseconds, before the multiplier. */
const READ_MS = 5_000

/**
 * Polling interval of a command, because the agent sends no events: a fraction of its running time, within limits in
 * milliseconds.
 */
const ASK_AFTER = { part: 1 / 4, leastMs: 2, mostMs: 50 }

/** Signals to end a command, and the time for each. Milliseconds, before the multiplier. */
const KILLS = [
  ['TERM', 500],
  ['KILL', 5_000],
] as const

/** Longer commands are sent as a file, because arguments are limited to 128 KiB by the kernel. Bytes. */
const LONGEST_ARGUMENT = 120_000

/** Number of commands whose files are removed together, because the removal starts a process. */
const COMMANDS_A_CLEANING = 16

/** Options of {@link QgaTransport}. */
export interface QgaTransportOptions {
  readonly connection: QgaConnection
  /** Multiplies a timeout by `timeoutMultiplier`. */
  readonly scale: (milliseconds: number) => number
  /** Resolves when no command can run in the guest any more. */
  readonly over: Promise<GuestEnd>
  /** Directory in the guest for the files of commands. @default '/tmp' */
  readonly directory?: string
}

const NOTHING = Buffer.alloc(0)

interface ExecStatus {
  readonly exited: boolean
  readonly exitcode?: number
  readonly signal?: number
  readonly 'out-data'?: string
  readonly 'err-data'?: string
}

/** Runs commands with QEMU's guest agent in one machine. */
export class QgaTransport implements CommandTransport {
  readonly via = 'guest-agent'
  readonly #options: QgaTransportOptions
  /** Directory in the guest for the files of commands. */
  readonly #directory: string
  #leftovers: string[] = []
  /** Whether the guest has `setsid`. Without it, only the command itself can be killed, not its children. */
  #setsid = true
  #isOver = false

  constructor(options: QgaTransportOptions) {
    this.#options = options
    this.#directory = `${options.directory ?? '/tmp'}/.coldboot-${nodeCrypto().randomBytes(8).toString('hex')}`
    void options.over.then(() => {
      this.#isOver = true
    })
  }

  async run(request: CommandRequest): Promise<CommandOutcome> {
    const { over } = this.#options
    const { timeoutMs, signal } = request
    const startedAt = now()
    const base = `${this.#directory}/${nodeCrypto().randomBytes(4).toString('hex')}`
    try {
      await within(this.#options.connection.ready(), { timeoutMs, signal, over })
      return await this.#run(request, base)
    } catch (error) {
      return transports.failed(notStarted(error, timeoutMs), now() - startedAt)
    } finally {
      this.#cleanUp(base)
    }
  }

  async #run(request: CommandRequest, base: string): Promise<CommandOutcome> {
    const { over } = this.#options
    const { cwd = '', timeoutMs, signal } = request
    const limits = { timeoutMs, signal, over }
    const { text, input } = await this.#prepare(request, base, limits)
    const startedAt = now()
    const pid = await this.#begin(runScript(text), [base, input, cwd], limits)
    // One query for the end, because the agent forgets a process after it has reported its end.
    const ended = this.#ended(pid)
    try {
      const status = await within(Promise.race([ended, this.#overflow(base, ended, limits)]), limits)
      const duration = now() - startedAt
      const [said, complaint] = [bytesOf(status['out-data']).toString(), bytesOf(status['err-data']).toString()]
      if (said.startsWith(NO_DIRECTORY)) return transports.failed(transports.noDirectory(cwd), duration)
      if (said + complaint !== '') return transports.failed(noFiles(said + complaint), duration)
      const outputs = ['o', 'e'].map((name) => fetchOutput(this.#options.connection, `${base}.${name}`, limits))
      const [stdout = NOTHING, stderr = NOTHING] = await Promise.all(outputs)
      return { exitCode: exitCodeOf(status), stdout, stderr, duration }
    } catch (error) {
      const duration = now() - startedAt
      if (error instanceof QgaRefusal) return transports.failed(noMoreKnown(error), duration)
      if (!(error instanceof Interrupted) && !(error instanceof TooMuchOutput)) throw error
      const failure = interruption(error, timeoutMs)
      const isGone = error instanceof Interrupted && error.reason === 'over'
      if (!isGone) await this.#kill(pid, ended)
      const [stdout, stderr] = isGone
        ? [NOTHING, NOTHING]
        : [await this.#end(`${base}.o`), await this.#end(`${base}.e`)]
      return { exitCode: undefined, stdout, stderr, duration, failure }
    }
  }

  /** Sends a long command and the input as files. */
  async #prepare(
    { command, env, input }: CommandRequest,
    base: string,
    limits: Limits,
  ): Promise<{ readonly text: string; readonly input: string }> {
    const { connection } = this.#options
    const text = withEnvironment(command, env)
    const isLong = Buffer.byteLength(text) > LONGEST_ARGUMENT
    if (isLong || input.length > 0) {
      const pid = await within(this.#exec('/bin/sh', ['-c', DIRECTORY_SCRIPT, this.#directory]), limits)
      await within(this.#ended(pid), limits)
    }
    if (isLong) await sendFile(connection, `${base}.c`, Buffer.from(text), limits)
    if (input.length > 0) await sendFile(connection, `${base}.i`, input, limits)
    return { text: isLong ? `exec sh ${base}.c` : text, input: input.length > 0 ? `${base}.i` : '/dev/null' }
  }

  /** Starts a process. @returns its pid. The process leads its own session if possible */
  async #begin(script: string, scriptArguments: readonly string[], limits: Limits): Promise<number> {
    const shell = ['-c', script, 'sh', ...scriptArguments]
    const started = this.#setsid ? this.#exec('setsid', ['/bin/sh', ...shell]) : this.#exec('/bin/sh', shell)
    try {
      return await within(started, limits)
    } catch (error) {
      // After an abort, the command may still start, so it is killed.
      if (error instanceof Interrupted) forget(started.then((pid) => this.#kill(pid, this.#ended(pid))))
      if (!(error instanceof QgaRefusal) || !this.#setsid || !error.message.includes('setsid')) throw error
      this.#setsid = false
      return this.#begin(script, scriptArguments, limits)
    }
  }

  async #exec(path: string, words: readonly string[]): Promise<number> {
    const execution = { path, arg: words, 'capture-output': true }
    const answer = await this.#options.connection.execute('guest-exec', execution)
    return (answer as { readonly pid: number }).pid
  }

  async #ended(pid: number): Promise<ExecStatus> {
    const startedAt = now()
    while (!this.#isOver) {
      const status = (await this.#options.connection.execute('guest-exec-status', { pid })) as ExecStatus
      if (status.exited) return status
      const { part, leastMs, mostMs } = ASK_AFTER
      await pause(Math.min(mostMs, Math.max(leastMs, (now() - startedAt) * part)))
    }
    return { exited: false }
  }

  /**
   * Rejects when the output exceeds the limit, before the disk of the guest is full.
   * @throws TooMuchOutput
   */
  async #overflow(base: string, ended: Promise<unknown>, limits: Limits): Promise<never> {
    const { connection } = this.#options
    const stop = new AbortController()
    const end = (): void => stop.abort()
    ended.then(end, end)
    for (;;) {
      // Rejects when the command has ended. The caller does not await this promise then.
      await pause(LOOK_EVERY_MS, undefined, { signal: stop.signal, ref: false })
      const sizes = ['o', 'e'].map((name) => sizeOfFile(connection, `${base}.${name}`, limits))
      // The file may not exist yet.
      const [out = 0, err = 0] = await Promise.all(sizes.map((size) => unlessRefused(size, 0)))
      if (out + err > MOST_BYTES) throw new TooMuchOutput()
    }
  }

  async #kill(pid: number, ended: Promise<ExecStatus>): Promise<void> {
    const { scale, over } = this.#options
    for (const [signal, milliseconds] of KILLS) {
      const limits = { timeoutMs: scale(milliseconds), over }
      try {
        const killer = await within(this.#exec('/bin/sh', ['-c', END_SCRIPT, signal, String(pid)]), limits)
        forget(this.#ended(killer))
        await within(ended, limits)
        return
      } catch (error) {
        if (!(error instanceof Interrupted) && !(error instanceof QgaRefusal)) throw error
      }
    }
    forget(ended)
  }

  /** Reads the end of an output, even if the command could not be killed. */
  async #end(path: string): Promise<Buffer> {
    const { connection, scale, over } = this.#options
    try {
      return await fetchEnd(connection, path, KEPT_BYTES, { timeoutMs: scale(READ_MS), over })
    } catch (error) {
      if (!(error instanceof Interrupted) && !(error instanceof QgaRefusal)) throw error
      return NOTHING
    }
  }

  /** Removes files. Also queries the end of `rm`, because the agent keeps a process until it is queried. */
  #cleanUp(base: string): void {
    this.#leftovers.push(base)
    if (this.#leftovers.length < COMMANDS_A_CLEANING) return
    const bases = this.#leftovers
    this.#leftovers = []
    const files = bases.flatMap((one) => ['o', 'e', 'c', 'i'].map((name) => `${one}.${name}`))
    // Errors are ignored, because remaining files are harmless.
    forget(this.#exec('rm', ['-f', ...files]).then((pid) => this.#ended(pid)))
  }
}

async function unlessRefused<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof QgaRefusal) return otherwise
    throw error
  }
}

/** Ignores the result of a promise. */
function forget(promise: Promise<unknown>): void {
  promise.catch(() => {})
}

function bytesOf(base64: string | undefined): Buffer {
  return Buffer.from(base64 ?? '', 'base64')
}

function exitCodeOf({ exitcode, signal = 0 }: ExecStatus): number {
  return exitcode ?? 128 + signal
}

function interruption(error: Interrupted | TooMuchOutput, timeoutMs: number): CommandFailure {
  if (error instanceof TooMuchOutput) return transports.tooMuch(MOST_BYTES)
  if (error.end !== undefined) return transports.lost(error.end, true)
  return error.reason === 'time' ? transports.timedOut(timeoutMs) : transports.aborted(error.cause, true)
}

/** Failure of a command that the agent no longer knows, for example after its restart. */
function noMoreKnown({ message }: QgaRefusal): CommandFailure {
  const how = `QEMU's guest agent no longer knows it: ${message}`
  const hint =
    'The agent was probably restarted. To restart it on purpose, type the command on the console with `send`.'
  return { ...transports.lost({ code: 'COMMAND_LOST', how }, true), hint }
}

function noFiles(complaint: string): CommandFailure {
  const message = `was not started: the guest cannot store its output: ${complaint.trim()}`
  return { code: 'COMMAND_NOT_STARTED', message }
}

function notStarted(error: unknown, timeoutMs: number): CommandFailure {
  if (error instanceof QgaRefusal) {
    const message = `was not started: QEMU's guest agent refused it: ${error.message}`
    const hint = 'Allow the commands guest-exec, guest-exec-status and guest-file-* in the configuration of qemu-ga.'
    return { code: 'COMMAND_NOT_STARTED', message, hint }
  }
  if (!(error instanceof Interrupted)) throw error
  if (error.end !== undefined) return transports.lost(error.end, false)
  if (error.reason === 'aborted') return transports.aborted(error.cause, false)
  const message = `was not started: QEMU's guest agent did not answer within ${formatDuration(timeoutMs)}`
  return {
    code: 'AGENT_SILENT',
    message,
    hint: 'Check that the guest has qemu-ga (Debian: qemu-guest-agent) and starts it.',
  }
}
