/**
 * Every byte of a console, with its time, written to disk as it comes: what was printed before a crash, a kill or a
 * timeout can be read afterwards, and replayed. The disk is only ever a copy: when it fails, the machine runs on.
 */
import { closeSync, fchmodSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { now as monotonic } from './clock.ts'

/** Options of {@link Transcript}. */
export interface TranscriptOptions {
  /**
   * Log of all bytes as they came, made anew and readable by this user only. Beside it, as `<file>.timing`, their times:
   * lines of `<seconds since the line before> <bytes>`, the classic form of util-linux, to be played with
   * `scriptreplay <file>.timing <(echo; cat <file>)` (it skips the first line, which in its own logs is a header).
   *
   * @default none: only the tail is kept
   */
  readonly file?: string
  /** Most bytes of the log on disk. @default 67_108_864 (64 MiB) */
  readonly capBytes?: number
  /** Bytes at the end that are kept in memory. @default 262_144 (256 KiB) */
  readonly tailBytes?: number
  /** Told once when the disk fails. */
  readonly onWarning?: (message: string) => void
  /** Milliseconds on a clock that never goes back. @default performance.now */
  readonly now?: () => number
}

const CAP_BYTES = 64 * 2 ** 20
const TAIL_BYTES = 256 * 2 ** 10
const READ_BYTES = 2 ** 20

/** The log of one console. */
export class Transcript {
  /** The log’s path, if there is one. */
  readonly file: string | undefined
  /** Bytes that came, on disk or not. */
  bytes = 0
  /** When the last of them came, on the clock of the options. */
  lastByteAt: number | undefined
  /** Whether the log has every byte so far. */
  complete = false
  readonly #cap: number
  readonly #tailBytes: number
  readonly #onWarning: (message: string) => void
  readonly #now: () => number
  #log: number | undefined
  #timing: number | undefined
  #timedAt: number
  #tail: Uint8Array[] = []
  #tailLength = 0

  constructor(options: TranscriptOptions = {}) {
    this.file = options.file
    this.#cap = options.capBytes ?? CAP_BYTES
    this.#tailBytes = options.tailBytes ?? TAIL_BYTES
    this.#onWarning = options.onWarning ?? (() => {})
    this.#now = options.now ?? monotonic
    this.#timedAt = this.#now()
    const { file } = options
    if (file === undefined) return
    this.complete = true
    this.#onDisk(() => {
      this.#log = openPrivate(file)
      this.#timing = openPrivate(`${file}.timing`)
    })
  }

  /** Takes what came. Never throws. The transcript keeps `chunk`, which must not change any more. */
  write(chunk: Uint8Array): void {
    const now = this.#now()
    this.#toDisk(chunk, now)
    this.bytes += chunk.length
    this.lastByteAt = now
    this.#toTail(chunk)
  }

  /** The last bytes, at most `limit` and at most `tailBytes`. */
  tail(limit: number = this.#tailBytes): Uint8Array {
    return Buffer.concat(this.#tail).subarray(-Math.max(1, Math.min(limit, this.#tailBytes)))
  }

  /** The log from its start; `undefined` when it does not have every byte, or is gone. */
  read(): Iterable<Uint8Array> | undefined {
    if (this.file === undefined || !this.complete) return undefined
    try {
      return piecesOf(openSync(this.file, 'r'))
    } catch {
      return undefined
    }
  }

  /** Closes the files. What comes later is only counted and kept in the tail. */
  close(): void {
    for (const descriptor of [this.#log, this.#timing]) {
      if (descriptor !== undefined) closeQuietly(descriptor)
    }
    this.#log = undefined
    this.#timing = undefined
  }

  #toDisk(chunk: Uint8Array, now: number): void {
    const log = this.#log
    if (log === undefined) {
      this.complete = false
      return
    }
    const room = this.#cap - this.bytes
    const part = chunk.length <= room ? chunk : chunk.subarray(0, room)
    this.#onDisk(() => {
      writeAll(log, part)
      this.#writeTime(now, part.length)
      if (part.length === chunk.length) return
      writeAll(
        log,
        Buffer.from(`\n[the log ends here: it has reached ${this.#cap} bytes, and the console printed more]\n`),
      )
      this.complete = false
      this.close()
    })
  }

  #writeTime(now: number, length: number): void {
    if (this.#timing === undefined || length === 0) return
    const seconds = Math.max(0, now - this.#timedAt) / 1000
    writeAll(this.#timing, Buffer.from(`${seconds.toFixed(6)} ${length}\n`))
    this.#timedAt = now
  }

  #onDisk(job: () => void): void {
    try {
      job()
    } catch (error) {
      this.complete = false
      this.close()
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

function* piecesOf(descriptor: number): Generator<Uint8Array, void, undefined> {
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(READ_BYTES)
      const length = readSync(descriptor, buffer)
      if (length === 0) return
      yield buffer.subarray(0, length)
    }
  } finally {
    closeSync(descriptor)
  }
}

function openPrivate(file: string): number {
  const descriptor = openSync(file, 'w', 0o600)
  // The mode above is for a new file only; one that was there keeps its own.
  if (fstatSync(descriptor).isFile()) fchmodSync(descriptor, 0o600)
  return descriptor
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
}

function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor)
  } catch {
    // A disk that is full may say so again.
  }
}
