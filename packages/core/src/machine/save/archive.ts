/** Streaming writer and reader of compressed tar archives that contain only regular files. */
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { type Readable, Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { types } from 'node:util'
import { extract, type Header, type Pack, pack } from 'tar-stream'
import { ColdbootError, MachineError, messageOf, OptionError } from '../../errors.ts'
import { writeAll } from '../../host/files/write-all.ts'
import { CHUNK, createCompressor } from './compression.ts'

/** Name of an empty last file, which marks the archive as complete, because Node's zstd accepts truncated data. */
const END = 'end'

/** Limits of an {@link ArchiveWriter}. */
export interface ArchiveLimits {
  /** Largest size of the compressed archive, bytes. @default none */
  readonly maxBytes?: number | undefined
  /** Abandons the archive when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** Writes an archive, file by file. The caller must call {@link finish} or {@link abandon} in the end. */
export class ArchiveWriter {
  readonly #pack: Pack = pack()
  readonly #written: Promise<void>

  /** @param output destination of the archive */
  constructor(output: NodeJS.WritableStream, limits: ArchiveLimits = {}) {
    const { maxBytes = Infinity, signal } = limits
    this.#pack.on('error', () => {})
    this.#written = pipeline(nodeReadable(this.#pack), createCompressor(), limitedTo(maxBytes), output, { signal })
    this.#written.catch(() => {})
  }

  /** Creates an archive in a new file that only this user can read. */
  static create(path: string, limits?: ArchiveLimits): ArchiveWriter {
    return new ArchiveWriter(createWriteStream(path, { flags: 'wx', mode: 0o600 }), limits)
  }

  /** Adds a file. @throws MachineError `SAVE_ABANDONED` beyond the limits; the system's error */
  async add(name: string, content: Uint8Array | string): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    await this.#entry({ name, size: bytes.length }, async (entry) => {
      entry.end(bytes)
    })
  }

  /** Adds a file of the host, which must not change meanwhile. @throws as {@link add} */
  async addFile(name: string, path: string): Promise<void> {
    const { size, mtime } = await stat(path)
    await this.#entry({ name, size, mtime }, (entry) => pipeline(createReadStream(path), entry as Writable))
  }

  async finish(): Promise<void> {
    await this.add(END, '')
    this.#pack.finalize()
    await this.#written
  }

  /** Closes an unfinished archive. Never rejects. */
  async abandon(): Promise<void> {
    this.#pack.destroy()
    await this.#written.catch(() => {})
  }

  async #entry(header: EntryHeader, write: (entry: NodeJS.WritableStream) => Promise<void>): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      const entry = this.#pack.entry({ mode: 0o600, ...header }, (error) => (error ? reject(error) : resolve()))
      // The entry repeats the error of the pipeline, so its own error is not reported.
      entry.on('error', reject)
      write(entry as unknown as NodeJS.WritableStream).catch(reject)
    })
    done.catch(() => {})
    // If the pipeline ends early, for example because of a full disk, the entry alone would wait forever.
    const failed = this.#written.then(() => {
      throw new Error('The archive was closed too early')
    })
    try {
      await Promise.race([done, failed])
    } catch (error) {
      // If the pipeline has destroyed the archive, its rejection has the reason.
      if (isDestroyed(this.#pack)) await this.#written
      throw error
    }
  }
}

type EntryHeader = Pick<Header, 'name' | 'size'> & Partial<Header>

function isDestroyed(archive: Pack): boolean {
  return (archive as Pack & { readonly destroying: boolean }).destroying
}

/** Converts a stream of the library to a stream of Node. */
function nodeReadable(stream: Pack): Readable {
  return stream as unknown as Readable
}

function limitedTo(maxBytes: number): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes <= maxBytes) done(undefined, chunk)
      else done(new MachineError('SAVE_ABANDONED', `The file would be larger than ${maxBytes} bytes`))
    },
  })
}

/** One file of an archive. */
export interface ArchiveEntry {
  readonly name: string
  /** Size of the file, bytes. */
  readonly size: number
  readonly mtime: Date
  /** Content of the file. The caller reads it to its end, or skips it by requesting the next entry. */
  readonly content: Readable
}

type RawEntry = Readable & { readonly header: Header }

/** Largest file that is read into memory, bytes. */
export const LONGEST_BYTES: number = 64 * 2 ** 20

/** Reads an untrusted archive, file by file. */
export class ArchiveReader implements AsyncDisposable {
  readonly #source: Readable
  readonly #name: string
  readonly #isAllowed: (name: string) => boolean
  readonly #entries: AsyncIterator<RawEntry>
  readonly #seen = new Set<string>()
  #ahead: ArchiveEntry | undefined
  #current: Readable | undefined
  #isOver = false

  /**
   * @param source the decompressed archive
   * @param name name of the archive for errors
   * @param isAllowed whether a file name is allowed
   */
  constructor(source: Readable, name: string, isAllowed: (name: string) => boolean) {
    const unpack = extract()
    this.#source = source
    this.#name = name
    this.#isAllowed = isAllowed
    source.once('error', (error) => unpack.destroy(error))
    source.pipe(unpack as unknown as Writable)
    this.#entries = unpack[Symbol.asyncIterator]() as unknown as AsyncIterator<RawEntry>
  }

  /**
   * Returns the next file; undefined at the end.
   * @throws OptionError `MACHINE_FILE_INVALID` for a damaged archive, or entries other than files with allowed names
   */
  async next(): Promise<ArchiveEntry | undefined> {
    const ahead = this.#ahead
    this.#ahead = undefined
    return ahead ?? this.#read()
  }

  /** Same as {@link next}, but the next call returns the same file again. */
  async peek(): Promise<ArchiveEntry | undefined> {
    this.#ahead ??= await this.#read()
    return this.#ahead
  }

  /** Returns the next file, which must have this name. @throws as {@link next} */
  async require(name: string): Promise<ArchiveEntry> {
    const entry = await this.next()
    if (entry?.name !== name) throw this.invalid(`${name} is not at its place in the archive`)
    return entry
  }

  /** Reads the rest, because the checksum is verified only at the end of the archive. @throws as {@link next} */
  async finish(): Promise<void> {
    for (let entry = await this.next(); entry; entry = await this.next()) await this.#skip(entry)
  }

  async #skip(entry: ArchiveEntry): Promise<void> {
    // Unlike `resume()`, this frees the chunks.
    for await (const _ of this.chunks(entry));
  }

  /** Reads the content of a small file. */
  async bytes(entry: ArchiveEntry): Promise<Buffer> {
    if (entry.size > LONGEST_BYTES) throw this.invalid(`${entry.name} is too long`)
    const bytes = Buffer.alloc(entry.size)
    let at = 0
    for await (const chunk of this.chunks(entry)) at += chunk.copy(bytes, at)
    return bytes
  }

  /** Reads the content of a file in chunks. A chunk is valid until the next one is requested. @throws as {@link next} */
  async *chunks({ content }: ArchiveEntry): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of content as AsyncIterable<Buffer>) {
        yield chunk
        release(chunk)
      }
    } catch (cause) {
      throw this.#damaged(cause)
    }
  }

  /** Writes the content to a new file. @throws as {@link next}; the system's error */
  async save(entry: ArchiveEntry, path: string): Promise<void> {
    await using file = await open(path, 'wx', 0o600)
    for await (const chunk of this.chunks(entry)) await writeAll(file, [chunk])
  }

  invalid(why: string, cause?: unknown): OptionError {
    return new OptionError('MACHINE_FILE_INVALID', `${this.#name} cannot be used: ${why}`, { cause })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#source.destroy()
    await this.#entries.return?.()
  }

  async #read(): Promise<ArchiveEntry | undefined> {
    if (this.#isOver) return undefined
    const result = await this.#advance()
    if (result.done === true) throw this.invalid('its end is missing')
    const { name, size, type, mtime } = result.value.header
    if (type !== 'file' || (name !== END && !this.#isAllowed(name)) || this.#seen.has(name)) {
      throw this.invalid(`it has ${JSON.stringify(name)} (${type}), which is not allowed in it`)
    }
    this.#current = result.value
    if (name === END) {
      this.#isOver = true
      // Reads to the end, because the checksum comes after the last file.
      if ((await this.#advance()).done !== true) throw this.invalid('it has data after its end')
      return undefined
    }
    this.#seen.add(name)
    return { name, size, mtime, content: result.value }
  }

  async #advance(): Promise<IteratorResult<RawEntry>> {
    // The next entry arrives only after the current one was read.
    this.#current?.resume()
    try {
      return await this.#entries.next()
    } catch (cause) {
      throw this.#damaged(cause)
    }
  }

  #damaged(cause: unknown): Error {
    if (ColdbootError.is(cause)) return cause
    return this.invalid(`it is damaged: ${messageOf(cause)}`, cause)
  }
}

/**
 * Frees the buffer of the decompressor if the chunk is its last part, so that the next buffer gets the same memory. Page
 * faults and garbage collections of new memory take longer than the decompression. The length distinguishes the
 * buffer from the pool of Node, which other data shares.
 */
function release({ buffer, byteOffset, length }: Buffer): void {
  // Not `instanceof`, because Jest has another `ArrayBuffer`.
  if (types.isArrayBuffer(buffer) && buffer.byteLength === CHUNK && byteOffset + length === CHUNK) buffer.transfer(0)
}

/** Whether a path has only plain names, so that it stays below its folder on any system. */
export function isPlainPath(path: string): boolean {
  return path.split('/').every((name) => /^[\w+@=-][\w+@=.-]*$/.test(name) && name.length < 256)
}
