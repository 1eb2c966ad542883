/** Writes guest memory to a sparse file, page by page. Pages that are all zero take no space. */
import { closeSync, ftruncateSync, openSync, writeSync, writevSync } from 'node:fs'
import { type MemoryPage, PAGE } from '../../../qemu/state/state-records.ts'
import { UnknownStateError } from '../../../qemu/state/state-stream.ts'
import type { PageReceiver } from './state-file.ts'

/** Most pages written at once. */
const MOST_PAGES = 256
const ZERO = Buffer.alloc(PAGE)

/** Receives the pages of a state and writes all of them to a file. Disposal writes the last pages. */
export class MemoryFile implements PageReceiver, Disposable {
  readonly #fd: number
  readonly #size: number
  /** Offset from which the file has only zeros, bytes. */
  #end: number
  #block: string | undefined
  /** Consecutive pages to be written. */
  #pages: Buffer[] = []
  #at = 0

  /**
   * @param path new file, or existing memory file whose pages are replaced
   * @param size size of the memory, bytes
   * @param filled number of bytes at the start of the file that may not be zero
   */
  constructor(path: string, size: number, filled = 0) {
    this.#fd = openSync(path, filled > 0 ? 'r+' : 'wx', 0o600)
    this.#size = size
    this.#end = filled
    ftruncateSync(this.#fd, size)
  }

  /** Name of the memory block of the state; undefined if it has another size than the file. */
  get block(): string | undefined {
    return this.#block
  }

  begin(block: string, size: number): void {
    if (size === this.#size) this.#block = block
  }

  /**
   * Writes the page, so that the state is stored without it.
   * @throws UnknownStateError if it is outside of the memory
   */
  has({ offset, content }: MemoryPage): boolean {
    if (this.#block === undefined) return false
    if (offset + PAGE > this.#size) throw new UnknownStateError('a page outside of the memory')
    if (content === undefined && offset >= this.#end) return true
    this.write(offset, content)
    return true
  }

  /** @param content @default zeros */
  write(offset: number, content: Buffer = ZERO): void {
    if (offset !== this.#at + this.#pages.length * PAGE || this.#pages.length === MOST_PAGES) {
      this.flush()
      this.#at = offset
    }
    this.#pages.push(content)
    this.#end = Math.max(this.#end, offset + PAGE)
  }

  [Symbol.dispose](): void {
    try {
      this.flush()
    } finally {
      closeSync(this.#fd)
    }
  }

  flush(): void {
    const pages = this.#pages
    this.#pages = []
    let written = pages.length > 0 ? writevSync(this.#fd, pages, this.#at) : 0
    if (written === pages.length * PAGE) return
    // On a disk that is almost full, only a part is written. Writing the rest then throws the reason.
    for (const bytes = Buffer.concat(pages); written < bytes.length; ) {
      written += writeSync(this.#fd, bytes, written, bytes.length - written, this.#at + written)
    }
  }
}
