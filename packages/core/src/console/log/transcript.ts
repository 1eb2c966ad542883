/**
 * Every byte of a console, with its time, written to disk as it comes: what was printed before a crash, a kill or a
 * timeout can be read afterwards, and replayed. The disk is only ever a copy: when it fails, the machine runs on.
 */
import { now as monotonic } from '../../host/clock.ts'
import type { LogFile } from './log-file.ts'
import { LogWriter } from './log-writer.ts'

/** Options of {@link Transcript}. */
export interface TranscriptOptions {
  /**
   * Log of all bytes as they came. Beside it, as `<path>.timing`, their times: lines of `<seconds since the line before>
   * <bytes>`, the classic form of util-linux, to be played with `scriptreplay <path>.timing <(echo; cat <path>)` (it skips
   * the first line, which in its own logs is a header). Times count from when the transcript was made.
   *
   * @default none: only the tail is kept
   */
  readonly file?: LogFile
  /** Bytes at the end that are kept in memory. @default 262_144 (256 KiB) */
  readonly tailBytes?: number
  /** Told once when the disk fails. */
  readonly onWarning?: (message: string) => void
  /** Milliseconds on a clock that never goes back. @default performance.now */
  readonly now?: () => number
}

const TAIL_BYTES = 256 * 2 ** 10

/** The log of one console. */
export class Transcript {
  /** The log's path, if there is one. */
  readonly file: string | undefined
  /** Bytes that came, on disk or not. */
  bytes = 0
  /** When the last of them came, on the clock of the options. */
  lastByteAt: number | undefined
  readonly #tailBytes: number
  readonly #onWarning: (message: string) => void
  readonly #now: () => number
  #writer: LogWriter | undefined
  #failed = false
  #closed = false
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

  /** Takes what came. Never throws. The transcript keeps `chunk`, which must not change any more. */
  write(chunk: Uint8Array): void {
    const now = this.#now()
    if (this.#closed) this.#failed = true
    else this.#onDisk(() => this.#writer?.write(chunk, now))
    this.bytes += chunk.length
    this.lastByteAt = now
    this.#toTail(chunk)
  }

  /** Whether the log has every byte so far as it came, or will have when it is closed. */
  get complete(): boolean {
    return this.#writer !== undefined && !this.#failed && this.#writer.leftOut === 0
  }

  /** Bytes that the log does not keep, because it would be too long. */
  get leftOut(): number {
    return this.#writer?.leftOut ?? 0
  }

  /** The last bytes, at most `limit` and at most `tailBytes`. */
  tail(limit: number = this.#tailBytes): Uint8Array {
    return Buffer.concat(this.#tail).subarray(-Math.max(1, Math.min(limit, this.#tailBytes)))
  }

  /** The log from its start; `undefined` when it does not have every byte as it came, or is gone. */
  read(): Iterable<Uint8Array> | undefined {
    if (!this.complete) return undefined
    try {
      return this.#writer?.read()
    } catch {
      return undefined
    }
  }

  /** Completes the files and closes them. What comes later is only counted and kept in the tail. */
  close(): void {
    this.#closed = true
    this.#onDisk(() => this.#writer?.close(this.#now()))
  }

  #onDisk(job: () => void): void {
    if (this.#failed) return
    try {
      job()
    } catch (error) {
      this.#failed = true
      const reason = error instanceof Error ? error.message : String(error)
      this.#onWarning(`The console log ${this.file} is incomplete: ${reason}. The test goes on without it.`)
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
