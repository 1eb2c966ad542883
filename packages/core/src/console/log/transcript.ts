/**
 * Writes every byte of a console to disk when it arrives, with its time, so that the output can be read and replayed
 * after a crash, a kill or a timeout. A disk error does not affect the machine.
 */
import { types } from 'node:util'
import { now as monotonic } from '../../host/clock.ts'
import type { LogFile } from './log-file.ts'
import { LogWriter } from './log-writer.ts'

/** Options of {@link Transcript}. */
export interface TranscriptOptions {
  /**
   * Log of all bytes. `<path>.timing` has their times as lines of `<seconds since the previous line> <bytes>`, the
   * classic format of util-linux. Replay it with `scriptreplay <path>.timing <(echo; cat <path>)`; the `echo` is needed
   * because scriptreplay skips the first line as a header. Times count from the creation of the transcript.
   *
   * @default none: only the last bytes are kept, in memory
   */
  readonly file?: LogFile
  /** Number of last bytes that are kept in memory. @default 262_144 (256 KiB) */
  readonly tailBytes?: number
  /** Called once when the disk fails. */
  readonly onWarning?: (message: string) => void
  /** Monotonic clock, milliseconds. @default performance.now */
  readonly now?: () => number
}

const TAIL_BYTES = 256 * 2 ** 10

/** Buffered output that is not in the log yet. */
export interface HeldOutput {
  /** Continues the log. @param isKept whether to write the buffered output to the log */
  end(isKept: boolean): void
}

/** The log of one console. */
export class Transcript {
  /** Path of the log; undefined without one. */
  readonly file: string | undefined
  /** Number of bytes received, logged or not. */
  bytes = 0
  /** Time of the last byte, on the clock of the options. */
  lastByteAt: number | undefined
  readonly #tailBytes: number
  readonly #onWarning: (message: string) => void
  readonly #now: () => number
  #writer: LogWriter | undefined
  #failed = false
  #closed = false
  #hasGap = false
  /** Buffered output, with its times; undefined if output is not held. */
  #held: [chunk: Uint8Array, now: number][] | undefined
  #tail: Uint8Array[] = []
  #tailLength = 0

  constructor(options: TranscriptOptions = {}) {
    this.file = options.file?.path
    this.#tailBytes = options.tailBytes ?? TAIL_BYTES
    this.#onWarning = options.onWarning ?? (() => {})
    this.#now = options.now ?? monotonic
    const { file } = options
    if (file === undefined) return
    this.#onDisk(() => {
      this.#writer = new LogWriter(file, this.#now())
    })
  }

  /** Adds output. Never throws. Keeps a reference to `chunk`, which must not change afterwards. */
  write(chunk: Uint8Array): void {
    const now = this.#now()
    if (this.#closed) this.#failed = true
    else if (this.#held) this.#held.push([chunk, now])
    else this.#onDisk(() => this.#writer?.write(chunk, now))
    this.bytes += chunk.length
    this.lastByteAt = now
    this.#toTail(chunk)
  }

  /** Buffers further output instead of logging it. Must not be called again before {@link HeldOutput.end}. */
  hold(): HeldOutput {
    const held: [chunk: Uint8Array, now: number][] = []
    this.#held = held
    return { end: (isKept) => this.#release(held, isKept) }
  }

  #release(held: [chunk: Uint8Array, now: number][], isKept: boolean): void {
    if (this.#held !== held) return
    this.#held = undefined
    if (!isKept) this.#hasGap ||= held.length > 0
    else for (const [chunk, now] of held) this.#onDisk(() => this.#writer?.write(chunk, now))
  }

  /** Whether the log contains every byte so far unchanged, or will when it is closed. */
  get complete(): boolean {
    return this.#writer !== undefined && !this.#failed && !this.#hasGap && this.#writer.leftOut === 0
  }

  /** Bytes that the log omits because of its size limit. */
  get leftOut(): number {
    return this.#writer?.leftOut ?? 0
  }

  /** The last bytes, at most `limit` and at most `tailBytes`. */
  tail(limit: number = this.#tailBytes): Uint8Array {
    return Buffer.concat(this.#tail).subarray(-Math.max(1, Math.min(limit, this.#tailBytes)))
  }

  /** Reads the log from its start; `undefined` if it is incomplete, filtered or removed. */
  read(): Iterable<Uint8Array> | undefined {
    if (!this.complete) return undefined
    try {
      return this.#writer?.read()
    } catch {
      return undefined
    }
  }

  /** Completes the files and closes them. Later output is only counted and kept in the tail. */
  close(): void {
    if (this.#held) this.#release(this.#held, true)
    this.#closed = true
    this.#onDisk(() => this.#writer?.close(this.#now()))
  }

  #onDisk(job: () => void): void {
    if (this.#failed) return
    try {
      job()
    } catch (error) {
      this.#failed = true
      const reason = types.isNativeError(error) ? error.message : String(error)
      this.#onWarning(`The console log ${this.file} is incomplete: ${reason}. The test continues.`)
    }
  }

  #toTail(chunk: Uint8Array): void {
    this.#tail.push(chunk.length > this.#tailBytes ? chunk.slice(-this.#tailBytes) : chunk)
    this.#tailLength += chunk.length
    if (this.#tailLength < 2 * this.#tailBytes && this.#tail.length < 4096) return
    this.#tail = [Buffer.from(Buffer.concat(this.#tail).subarray(-this.#tailBytes))]
    this.#tailLength = this.#tail[0]?.length ?? 0
  }
}
