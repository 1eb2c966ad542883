/**
 * Commands by way of QEMU's guest agent, for stock distribution images: nothing but its package is in the guest.
 *
 * The agent gathers at most 16 MiB of an output, and takes a command for ended only when nobody has its output open any
 * more. So the command writes to files, which the agent then reads; what it leaves running holds up nothing.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { now } from '../../console/clock.ts'
import type { CommandFailure, CommandOutcome, CommandWay, GuestEnd } from '../command-way.ts'
import * as ways from '../command-way.ts'
import { KEPT_BYTES } from '../output-buffer.ts'
import { type CommandRequest, withEnvironment } from '../run-options.ts'
import { Interrupted, type Limits, within } from '../waiting.ts'
import { type QgaConnection, QgaRefusal } from './qga-connection.ts'
import { fetchFile, sendFile } from './qga-files.ts'

/** The agent tells nothing by itself: it is asked after these times, the last one again and again. Milliseconds. */
const ASK_AFTER_MS = [2, 4, 8, 16, 32, 50]

/** How a command is ended, and how long it has to do so. Milliseconds, before the multiplier. */
const KILLS = [
  ['TERM', 500],
  ['KILL', 5_000],
] as const

/** What is longer is sent as a file, bytes: the kernel takes arguments of less than 128 KiB, the agent messages of 64 MiB. */
const LONGEST_ARGUMENT = 120_000

/** Files of so many commands are removed at once: it takes a process. */
const COMMANDS_A_CLEANING = 16

/** Exit codes of the scripts below, in place of the command’s. */
const NO_DIRECTORY = 101

/**
 * `$0` begins the names of the command's files; then command, directory, input. The command is in a session of its own, so
 * that it can be ended with all it started. Short outputs come at once, through the agent; long ones are left in the files.
 */
const RUN = `: "\${HOME:=/root}";export HOME
cd -- "\${2:-$HOME}" 2>/dev/null||[ -z "$2" ]||exit ${NO_DIRECTORY}
(umask 077;:>"$0.o";:>"$0.e";:>"$0.p")||exit
S=;command -v setsid >/dev/null 2>&1&&S=setsid
$S sh -c 'echo $$>"$0.p";exec sh -c "$1"' "$0" "$1" >"$0.o" 2>"$0.e" <"$3"
echo $?>"$0.s"
if [ -e "$0.k" ];then tail -c ${KEPT_BYTES} "$0.o";tail -c ${KEPT_BYTES} "$0.e" >&2
else [ ! -s "$0.o" ]||cat "$0.o";[ ! -s "$0.e" ]||cat "$0.e" >&2;fi
read -r s<"$0.s";exit "$s"`

/** `$0` as above, `$1` a signal. */
const END = `:>"$0.k";read -r p<"$0.p"&&{ kill -"$1" -"$p"||kill -"$1" "$p";} 2>/dev/null`

/** Options of {@link QgaWay}. */
export interface QgaWayOptions {
  readonly connection: QgaConnection
  /** Applies the multiplier. */
  readonly scale: (milliseconds: number) => number
  /** Settles when no command runs any more. */
  readonly over: Promise<GuestEnd>
  /** Directory in the guest for the commands’ files. @default '/tmp' */
  readonly directory?: string
}

interface ExecStatus {
  readonly exited: boolean
  readonly exitcode?: number
  readonly signal?: number
  readonly 'out-data'?: string
  readonly 'err-data'?: string
  readonly 'out-truncated'?: boolean
  readonly 'err-truncated'?: boolean
}

/** QEMU's guest agent in one machine. */
export class QgaWay implements CommandWay {
  readonly way = 'guest-agent'
  readonly #options: QgaWayOptions
  #leftovers: string[] = []
  #isOver = false

  constructor(options: QgaWayOptions) {
    this.#options = options
    void options.over.then(() => {
      this.#isOver = true
    })
  }

  async run(request: CommandRequest): Promise<CommandOutcome> {
    const { over } = this.#options
    const { timeoutMs, signal } = request
    const startedAt = now()
    const base = `${this.#options.directory ?? '/tmp'}/.coldboot-${randomBytes(8).toString('hex')}`
    try {
      await within(this.#options.connection.ready(), { timeoutMs, signal, over })
      return await this.#run(request, base)
    } catch (error) {
      return ways.failed(notStarted(error, timeoutMs), now() - startedAt)
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
    const pid = await within(this.#exec(RUN, [base, text, cwd, input]), limits)
    // Asked for once: the agent forgets a process when it has told its end.
    const ended = this.#ended(pid)
    try {
      const status = await within(ended, limits)
      const durationMs = now() - startedAt
      if (status.exitcode === NO_DIRECTORY && cwd !== '' && status['out-data'] === undefined) {
        // The command itself may end so, too; then it was entered.
        if (!(await this.#exists(`${base}.s`, limits))) return ways.failed(ways.noDirectory(cwd), durationMs)
      }
      const [stdout, stderr] = await this.#outputs(status, base, limits)
      return { exitCode: exitCodeOf(status), stdout, stderr, durationMs }
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
      const durationMs = now() - startedAt
      const failure = interruption(error, timeoutMs)
      const status = error.reason === 'over' ? undefined : await this.#kill(ended, base)
      const [stdout, stderr] = [bytesOf(status?.['out-data']), bytesOf(status?.['err-data'])]
      return { exitCode: undefined, stdout, stderr, durationMs, failure }
    }
  }

  /** Sends what is too long for a message. */
  async #prepare(
    { command, env, input }: CommandRequest,
    base: string,
    limits: Limits,
  ): Promise<{ readonly text: string; readonly input: string }> {
    const { connection } = this.#options
    let text = withEnvironment(command, env)
    if (Buffer.byteLength(text) > LONGEST_ARGUMENT) {
      await sendFile(connection, `${base}.c`, Buffer.from(text), limits)
      text = `exec sh ${base}.c`
    }
    if (input.length === 0) return { text, input: '/dev/null' }
    await sendFile(connection, `${base}.i`, input, limits)
    return { text, input: `${base}.i` }
  }

  async #exec(script: string, scriptArguments: readonly string[], capture = true): Promise<number> {
    const answer = await this.#options.connection.execute('guest-exec', {
      path: '/bin/sh',
      arg: ['-c', script, ...scriptArguments],
      'capture-output': capture,
    })
    return (answer as { readonly pid: number }).pid
  }

  async #ended(pid: number): Promise<ExecStatus> {
    for (let turn = 0; !this.#isOver; turn++) {
      const status = (await this.#options.connection.execute('guest-exec-status', { pid })) as ExecStatus
      if (status.exited) return status
      await pause(ASK_AFTER_MS[turn] ?? ASK_AFTER_MS.at(-1))
    }
    return { exited: false }
  }

  /** What the agent gathered, or where that is not all, the files. */
  async #outputs(status: ExecStatus, base: string, limits: Limits): Promise<[stdout: Buffer, stderr: Buffer]> {
    const { connection } = this.#options
    const read = (name: string, truncated: boolean | undefined, data: string | undefined): Promise<Buffer> | Buffer =>
      truncated === true ? fetchFile(connection, `${base}.${name}`, limits) : bytesOf(data)
    return [
      await read('o', status['out-truncated'], status['out-data']),
      await read('e', status['err-truncated'], status['err-data']),
    ]
  }

  async #exists(path: string, limits: Limits): Promise<boolean> {
    const { connection } = this.#options
    try {
      const handle = await within(connection.execute('guest-file-open', { path, mode: 'r' }), limits)
      await within(connection.execute('guest-file-close', { handle }), limits)
      return true
    } catch (error) {
      if (error instanceof QgaRefusal) return false
      throw error
    }
  }

  /** @returns what there is to know of the command, once it has ended */
  async #kill(ended: Promise<ExecStatus>, base: string): Promise<ExecStatus | undefined> {
    const { scale, over } = this.#options
    for (const [signal, milliseconds] of KILLS) {
      const limits = { timeoutMs: scale(milliseconds), over }
      try {
        const killer = await within(this.#exec(END, [base, signal], false), limits)
        forget(this.#ended(killer))
        return await within(ended, limits)
      } catch (error) {
        if (!(error instanceof Interrupted) && !(error instanceof QgaRefusal)) throw error
      }
    }
    forget(ended)
    return undefined
  }

  /** The agent keeps what it knows of a process until it is asked for it: of the one that removes the files, too. */
  #cleanUp(base: string): void {
    this.#leftovers.push(base)
    if (this.#leftovers.length < COMMANDS_A_CLEANING) return
    const bases = this.#leftovers
    this.#leftovers = []
    const files = bases.flatMap((one) => ['o', 'e', 'p', 's', 'k', 'c', 'i'].map((name) => `${one}.${name}`))
    // Files that stay do no harm.
    forget(this.#exec('rm -f "$0" "$@"', files, false).then((pid) => this.#ended(pid)))
  }
}

/** Nobody waits for it. */
function forget(promise: Promise<unknown>): void {
  promise.catch(() => {})
}

function bytesOf(base64: string | undefined): Buffer {
  return Buffer.from(base64 ?? '', 'base64')
}

function exitCodeOf({ exitcode, signal = 0 }: ExecStatus): number {
  return exitcode ?? 128 + signal
}

function interruption(error: Interrupted, timeoutMs: number): CommandFailure {
  if (error.end !== undefined) return ways.lost(error.end, true)
  return error.reason === 'time' ? ways.timedOut(timeoutMs) : ways.aborted(error.cause)
}

function notStarted(error: unknown, timeoutMs: number): CommandFailure {
  if (error instanceof QgaRefusal) {
    const message = `was not started: QEMU’s guest agent refused it: ${error.message}`
    const hint = 'Allow the commands guest-exec, guest-exec-status and guest-file-* in the configuration of qemu-ga.'
    return { code: 'COMMAND_NOT_STARTED', message, hint }
  }
  if (!(error instanceof Interrupted)) throw error
  if (error.end !== undefined) return ways.lost(error.end, false)
  if (error.reason === 'aborted') return ways.aborted(error.cause)
  const message = `was not started: QEMU’s guest agent did not answer within ${ways.shownTime(timeoutMs)}`
  return {
    code: 'AGENT_SILENT',
    message,
    hint: 'Check that the guest has qemu-ga (Debian: qemu-guest-agent) and starts it.',
  }
}
