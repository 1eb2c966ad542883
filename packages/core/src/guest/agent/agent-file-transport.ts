/** Transfers single files with the agent of `@coldboot/guest`, without a process in the guest, and with a checksum. */
import { guestSections } from '../../console/failure/guest-sections.ts'
import { formatDuration } from '../../format-duration.ts'
import { abortedTransfer, FileFailure, type FileRequest, type FileTransport } from '../files/file-transport.ts'
import { fileErrorCode } from '../files/guest-file-error.ts'
import { Interrupted, type Limits, unlessAborted, within } from '../waiting.ts'
import { type AgentConnection, OtherVersion } from './agent-connection.ts'
import { AgentRefusal, AgentRestarted, fetchFile, NotWhole, sendFile } from './agent-files.ts'

/**
 * Most concurrent transfers. The agent supports 16, and commands that are too long for an argument need some of them.
 */
const MOST_FILES = 8

/** File transfers of one machine. */
export class AgentFileTransport implements FileTransport {
  readonly #connection: AgentConnection
  readonly #over: Limits['over']
  #free = MOST_FILES
  readonly #waiting: (() => void)[] = []

  constructor(connection: AgentConnection, over: Limits['over']) {
    this.#connection = connection
    this.#over = over
  }

  write(request: FileRequest, bytes: Uint8Array, mode: number | undefined): Promise<void> {
    return this.#move(request, (limits) => sendFile(this.#connection, request.path, bytes, mode, limits))
  }

  read(request: FileRequest): Promise<Buffer> {
    return this.#move(request, (limits) => fetchFile(this.#connection, request.path, limits))
  }

  async #move<T>(request: FileRequest, work: (limits: Limits) => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await this.#turn(request.signal)
    try {
      return await this.#moveNow(request, work)
    } finally {
      this.#pass()
    }
  }

  /** Waits for the end of another transfer. @throws FileFailure when the signal aborts */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise: turn, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    try {
      await unlessAborted(turn, signal)
    } catch (error) {
      const at = this.#waiting.indexOf(resolve)
      if (at >= 0) this.#waiting.splice(at, 1)
      // The turn came at the same time as the abort.
      else this.#pass()
      throw error instanceof Interrupted ? abortedTransfer(error.cause) : error
    }
  }

  #pass(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }

  async #moveNow<T>(request: FileRequest, work: (limits: Limits) => Promise<T>): Promise<T> {
    const { timeoutMs, signal } = request
    const limits = { timeoutMs, signal, over: this.#over }
    let isReady = false
    try {
      await within(this.#connection.ready(), limits)
      isReady = true
      return await work(limits)
    } catch (error) {
      throw failure(error, timeoutMs, isReady)
    }
  }
}

function failure(error: unknown, timeoutMs: number, isReady: boolean): unknown {
  if (error instanceof AgentRefusal) return new FileFailure(fileErrorCode(error.message), error.message)
  if (error instanceof AgentRestarted) {
    return new FileFailure('COMMAND_LOST', 'the agent in the guest was restarted')
  }
  if (error instanceof NotWhole) return new FileFailure('GUEST_FILE_FAILED', error.message)
  if (error instanceof OtherVersion) return new FileFailure('AGENT_SILENT', error.message)
  if (!(error instanceof Interrupted)) return error
  if (error.end !== undefined) {
    const { code, how, excerpt } = error.end
    return new FileFailure(code, how, { sections: guestSections(excerpt) })
  }
  if (error.reason === 'aborted') return abortedTransfer(error.cause)
  const time = formatDuration(timeoutMs)
  return isReady
    ? new FileFailure('COMMAND_TIMEOUT', `it did not finish within ${time}`)
    : new FileFailure('AGENT_SILENT', `no agent answered within ${time}`)
}
