/** Writes a console log and its times to disk. If the log exceeds its size limit, keeps its beginning and its end. */
import { closeSync, fchmodSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { startTimer, stopTimer } from '../../host/clock.ts'
import { makeDirectory } from '../../host/files/make-directory.ts'
import { LogEnd } from './log-end.ts'
import type { LogFile, LogFilter } from './log-file.ts'

const MAX_BYTES = 64 * 2 ** 20
/** Size reserved for the end of a long log, bytes. The end is written when the machine has ended. */
const END_BYTES = 2 ** 20
const READ_BYTES = 2 ** 20

/** Bytes that arrive within this time share one time stamp, because some guests print byte by byte. Milliseconds. */
const TOGETHER_MS = 5
/** Longest delay until a time stamp is written to disk, so that it survives a kill of this process. Milliseconds. */
const LATEST_MS = 20

/** Writes one log. Every method may throw an error of the file system. */
export class LogWriter {
  readonly #path: string
  readonly #filter: LogFilter | undefined
  readonly #maxBytes: number
  readonly #headBytes: number
  readonly #log: number
  readonly #timing: number
  readonly #end: LogEnd
  #written = 0
  #timedAt: number
  #piece: { readonly at: number; length: number } | undefined
  #timer: ReturnType<typeof startTimer> | undefined
  #closed = false

  /** @param now time at which the log starts, milliseconds */
  constructor({ path, filter, maxBytes = MAX_BYTES }: LogFile, now: number) {
    this.#path = path
    this.#filter = filter?.()
    this.#maxBytes = maxBytes
    const endBytes = Math.min(END_BYTES, Math.floor(maxBytes / 4))
    this.#headBytes = maxBytes - endBytes
    this.#end = new LogEnd(endBytes)
    this.#timedAt = now
    makeDirectory(dirname(path))
    this.#log = openPrivate(path)
    try {
      this.#timing = openPrivate(`${path}.timing`)
    } catch (error) {
      closeSync(this.#log)
      throw error
    }
  }

  /** Number of bytes that were dropped. */
  get leftOut(): number {
    return this.#end.leftOut
  }

  write(chunk: Uint8Array, now: number): void {
    this.#add(this.#filter?.push(chunk) ?? chunk, now)
  }

  /** Reads the log so far; undefined if it differs from the output. */
  read(): Iterable<Uint8Array> | undefined {
    if (this.leftOut > 0 || this.#filter !== undefined) return undefined
    return piecesOf(openSync(this.#path, 'r'), this.#closed ? [] : this.#end.pieces.map(({ bytes }) => bytes))
  }

  /** Completes the files and closes them. */
  close(now: number): void {
    if (this.#closed) return
    this.#closed = true
    try {
      if (this.#filter) this.#add(this.#filter.end(), now)
      const { pieces } = this.#end
      if (this.leftOut > 0) this.#append(note(`${this.leftOut} bytes are left out here`), pieces[0]?.at ?? now)
      for (const { bytes, at } of pieces) this.#append(bytes, at)
      this.#writeTime()
    } finally {
      closeQuietly(this.#log)
      closeQuietly(this.#timing)
    }
  }

  #add(bytes: Uint8Array, now: number): void {
    const head = bytes.subarray(0, Math.max(0, this.#headBytes - this.#written))
    this.#append(head, now)
    this.#written += bytes.length
    if (head.length === bytes.length) return
    const cutBefore = this.leftOut > 0
    this.#end.add(bytes.subarray(head.length), now)
    // The note is written at once, because after a crash the end of the log is missing.
    if (!cutBefore && this.leftOut > 0) {
      this.#append(
        note(`the log is cut here: its limit is ${this.#maxBytes} bytes; the end of the output follows`),
        now,
      )
    }
  }

  #append(bytes: Uint8Array, now: number): void {
    if (bytes.length === 0) return
    writeAll(this.#log, bytes)
    if (this.#piece !== undefined && now - this.#piece.at < TOGETHER_MS) {
      this.#piece.length += bytes.length
      return
    }
    this.#writeTime()
    this.#piece = { at: now, length: bytes.length }
    this.#timer ??= startTimer(() => this.#writeTimeQuietly(), LATEST_MS).unref()
  }

  #writeTimeQuietly(): void {
    try {
      this.#writeTime()
    } catch {
      // The next write also fails, and reports the error.
    }
  }

  #writeTime(): void {
    stopTimer(this.#timer)
    this.#timer = undefined
    if (this.#piece === undefined) return
    const { at, length } = this.#piece
    this.#piece = undefined
    const seconds = Math.max(0, at - this.#timedAt) / 1000
    this.#timedAt = Math.max(at, this.#timedAt)
    writeAll(this.#timing, Buffer.from(`${seconds.toFixed(6)} ${length}\n`))
  }
}

function note(text: string): Uint8Array {
  return Buffer.from(`\n[${text}]\n`)
}

function* piecesOf(descriptor: number, others: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(READ_BYTES)
      const length = readSync(descriptor, buffer)
      if (length === 0) break
      yield buffer.subarray(0, length)
    }
  } finally {
    closeSync(descriptor)
  }
  yield* others
}

function openPrivate(file: string): number {
  const descriptor = openSync(file, 'w', 0o600)
  // The mode above applies only to a new file, so that of an existing file is changed here.
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
    // A full disk may report the same error again.
  }
}
