/** Extracts the frames of the shell functions from the console output. */
import { afterReading, now, startTimer, stopTimer } from '../../host/clock.ts'
import { readAnswer, type ShellAnswer } from './shell-answer.ts'

/** The part of the console that the shell transport needs. */
export interface ShellConsole {
  /** Types data on the console. @throws MachineError `MACHINE_EXITED` */
  send(data: string | Uint8Array): void
  /** Passes every chunk of output to `watcher`, which returns the number of bytes that it consumes. */
  watch(watcher: (chunk: Uint8Array) => number): Disposable
}

/** The shell did not answer. */
export class NoAnswer extends Error {
  /** `time`: timeout; `aborted`: by the signal; `gone`: the machine has ended. */
  readonly reason: 'time' | 'aborted' | 'gone'

  constructor(reason: 'time' | 'aborted' | 'gone', cause?: unknown) {
    super(`no answer: ${reason}`, { cause })
    this.reason = reason
  }
}

/** An answer, and the time of its first byte, on the clock of `now()`. */
export interface Heard {
  readonly answer: ShellAnswer
  readonly at: number
}

/** Longest pause within an answer. Milliseconds, before the multiplier. */
const STALLED_MS = 10_000

const START = 0x1e
const END = 0x1f

/** Listens for the answers to one request. */
export class ShellListener implements Disposable {
  readonly #watch: Disposable
  readonly #gone: AbortSignal
  readonly #stalledMs: number
  #token = ''
  #frame: Buffer[] | undefined
  #frameAt = 0
  #lastByteAt = 0
  #heard: Heard[] = []
  #wake: (() => void) | undefined

  /** @param gone aborts when the machine has ended and all its output was read */
  constructor(console: ShellConsole, gone: AbortSignal, scale: (milliseconds: number) => number) {
    this.#gone = gone
    this.#stalledMs = scale(STALLED_MS)
    this.#watch = console.watch((chunk) => this.#hear(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)))
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]()
  }

  /** Listens only for answers with this token. */
  listenFor(token: string): void {
    this.#token = token
    this.#heard = []
  }

  /**
   * The next answer.
   * @throws NoAnswer
   */
  async next(timeoutMs: number, signal: AbortSignal | undefined): Promise<Heard> {
    const deadline = now() + timeoutMs
    for (;;) {
      const heard = this.#heard.shift()
      if (heard !== undefined) return heard
      if (this.#gone.aborted) throw new NoAnswer('gone')
      if (signal?.aborted === true) throw new NoAnswer('aborted', signal.reason)
      const left = this.#timeLeft(deadline)
      if (left <= 0) throw new NoAnswer('time')
      await this.#wait(left, signal)
    }
  }

  #timeLeft(deadline: number): number {
    const left = deadline - now()
    if (left > 0 || this.#frame === undefined) return left
    return this.#lastByteAt + this.#stalledMs - now()
  }

  #wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stopTimer(timer)
        for (const one of [signal, this.#gone]) one?.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      const timer = startTimer(() => afterReading(done), milliseconds)
      for (const one of [signal, this.#gone]) one?.addEventListener('abort', done, { once: true })
      this.#wake = done
    })
  }

  #hear(chunk: Buffer): number {
    this.#lastByteAt = now()
    let consumed = 0
    for (let at = 0; at < chunk.length; ) {
      if (this.#frame === undefined) {
        const start = chunk.indexOf(START, at)
        if (start < 0) break
        this.#open()
        at = start + 1
      }
      const end = chunk.indexOf(END, at)
      const piece = chunk.subarray(at, end < 0 ? chunk.length : end)
      // A frame that starts within another one: the outer frame is incomplete.
      const again = piece.lastIndexOf(START)
      if (again >= 0) this.#open()
      this.#frame?.push(piece.subarray(again + 1))
      if (end < 0) break
      at = end + 1
      if (this.#take(Buffer.concat(this.#frame ?? []))) consumed = at
      this.#frame = undefined
    }
    return consumed
  }

  #open(): void {
    this.#frame = []
    this.#frameAt = this.#lastByteAt
  }

  /** Handles a complete frame. Returns whether the output up to it is consumed: after every answer except `begun`. */
  #take(content: Buffer): boolean {
    const answer = readAnswer(content, this.#token)
    if (answer === undefined) return false
    this.#heard.push({ answer, at: this.#frameAt })
    this.#wake?.()
    return answer.kind !== 'begun'
  }
}
