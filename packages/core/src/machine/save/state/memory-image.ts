/**
 * Reads the guest memory with which a machine was started: a file, and the pages of states that were loaded over it.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import type { StateFile } from '../../../qemu/state/state-file.ts'
import { type MemoryPage, PAGE, readPageHead } from '../../../qemu/state/state-records.ts'
import type { MemoryOrigin } from './state-file.ts'

/** Size of the part of the file that is read at once, because pages are requested in order. Bytes. */
const WINDOW = 1 << 20

/** Position of a page in the file of a state. `at` is undefined if the page is all zero. */
interface StoredPage {
  readonly fd: number
  readonly at: number | undefined
}

/** Compares pages with the memory. Dispose it to close its files. */
export class MemoryImage implements Disposable {
  readonly #base: number | undefined
  readonly #layers: number[] = []
  readonly #pages = new Map<number, StoredPage>()
  readonly #window = Buffer.alloc(WINDOW)
  #windowAt = -1
  readonly #page = Buffer.alloc(PAGE)

  constructor({ base, layers }: MemoryOrigin) {
    this.#base = base === undefined ? undefined : openSync(base, 'r')
    for (const layer of layers) this.#index(layer)
  }

  /** Whether the memory contains this page unchanged. */
  has({ offset, content }: MemoryPage): boolean {
    const stored = this.#pages.get(offset)
    if (stored === undefined) return this.#base !== undefined && same(this.#fromBase(offset), content)
    if (stored.at === undefined) return content === undefined
    readSync(stored.fd, this.#page, 0, PAGE, stored.at)
    return same(this.#page, content)
  }

  [Symbol.dispose](): void {
    for (const fd of [this.#base ?? [], this.#layers].flat()) closeSync(fd)
  }

  #index({ path, headBytes, pagesBytes }: StateFile): void {
    const fd = openSync(path, 'r')
    this.#layers.push(fd)
    const end = headBytes + pagesBytes
    for (let at = headBytes; at < end; ) {
      const { offset, headLength, isZero } = readPageHead((buffer) => readSync(fd, buffer, 0, buffer.length, at))
      this.#pages.set(offset, { fd, at: isZero ? undefined : at + headLength })
      at += headLength + (isZero ? 1 : PAGE)
    }
  }

  #fromBase(offset: number): Buffer {
    const windowAt = offset - (offset % WINDOW)
    if (windowAt !== this.#windowAt) {
      const length = readSync(this.#base ?? -1, this.#window, 0, WINDOW, windowAt)
      this.#window.fill(0, length)
      this.#windowAt = windowAt
    }
    return this.#window.subarray(offset - windowAt, offset - windowAt + PAGE)
  }
}

const ZERO = Buffer.alloc(PAGE)

function same(stored: Buffer, content: Buffer | undefined): boolean {
  return stored.equals(content ?? ZERO)
}
