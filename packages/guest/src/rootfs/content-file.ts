/** One file on the host that contains the contents of all files of an archive. */
import { type FileHandle, open } from 'node:fs/promises'
import { OptionError } from '@coldboot/core'
import type { FileContent } from './root-tree.ts'

/** Bytes that are buffered before a write, because most files are small. */
const CHUNK = 1 << 20
const MIB = 2 ** 20
/** Largest number of entries of a source. Images of distributions have some 100,000. */
const MOST_ENTRIES = 4_000_000

/** Limits bytes and entries of a source, because a small malicious archive can unpack to more than any disk can hold. */
export class ReadBudget {
  readonly #owner: string
  readonly #mostBytes: number
  #bytes = 0
  #entries = 0

  constructor(owner: string, mostBytes: number) {
    this.#owner = owner
    this.#mostBytes = mostBytes
  }

  /** @throws OptionError `ROOTFS_TOO_LARGE` */
  takeBytes(count: number): void {
    this.#bytes += count
    if (this.#bytes > this.#mostBytes) throw this.#tooLarge(`${Math.floor(this.#mostBytes / MIB)} MiB`)
  }

  /** @throws OptionError `ROOTFS_TOO_LARGE` */
  takeEntry(): void {
    if (++this.#entries > MOST_ENTRIES) throw this.#tooLarge(`${MOST_ENTRIES} entries`)
  }

  #tooLarge(limit: string): OptionError {
    return new OptionError('ROOTFS_TOO_LARGE', `${this.#owner} unpacks to more than ${limit}`)
  }
}

/** Writer of the file. */
export class ContentFile implements AsyncDisposable {
  readonly path: string
  readonly #file: FileHandle
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #size = 0

  private constructor(path: string, file: FileHandle) {
    this.path = path
    this.#file = file
  }

  /** Creates the file, readable by this user only. */
  static async create(path: string): Promise<ContentFile> {
    return new ContentFile(path, await open(path, 'wx', 0o600))
  }

  /** Appends a content, and returns its position and length. It can be read after {@link flush}. */
  async add(chunks: AsyncIterable<Uint8Array>): Promise<{ readonly content: FileContent; readonly size: number }> {
    const offset = this.#size
    for await (const chunk of chunks) {
      this.#pending.push(chunk)
      this.#pendingBytes += chunk.length
      this.#size += chunk.length
      if (this.#pendingBytes >= CHUNK) await this.flush()
    }
    return { content: { path: this.path, offset }, size: this.#size - offset }
  }

  /** Writes the buffered bytes. */
  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, written)
      written += bytesWritten
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}
