/** An image file of the host, read and written synchronously. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { MkfatfsError, reasonOf } from '../errors.ts'
import type { ImageBytes } from '../read/image-reader.ts'

/** The error for an image that cannot be read. */
export function unreadable(path: string, cause: unknown): MkfatfsError {
  return new MkfatfsError('READ_FAILED', `Could not read "${path}": ${reasonOf(cause)}.`, { cause })
}

/** An open image file. */
export class ImageDescriptor implements ImageBytes {
  readonly name: string
  readonly size: number
  readonly write: ((source: Uint8Array, position: number) => void) | undefined
  readonly #descriptor: number
  #isOpen = true

  /** @throws MkfatfsError `READ_FAILED` */
  constructor(path: string, { isWritable = false }: { readonly isWritable?: boolean } = {}) {
    this.name = path
    try {
      this.#descriptor = openSync(path, isWritable ? 'r+' : 'r')
    } catch (error) {
      throw new MkfatfsError('READ_FAILED', `Could not open "${path}": ${reasonOf(error)}.`, { cause: error })
    }
    const stats = fstatSync(this.#descriptor)
    this.size = stats.size
    this.write = isWritable ? (source, position) => this.#write(source, position) : undefined
    if (stats.isFile()) return
    this.close()
    throw new MkfatfsError('READ_FAILED', `"${path}" is not a regular file.`)
  }

  /** @throws MkfatfsError `READ_FAILED` */
  read(target: Uint8Array, position: number): number {
    let done = 0
    try {
      while (done < target.length) {
        const bytes = readSync(this.#descriptor, target, done, target.length - done, position + done)
        if (bytes === 0) break
        done += bytes
      }
    } catch (error) {
      throw unreadable(this.name, error)
    }
    return done
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeSync(this.#descriptor)
  }

  #write(source: Uint8Array, position: number): void {
    for (let done = 0; done < source.length; ) {
      done += writeSync(this.#descriptor, source, done, source.length - done, position + done)
    }
  }
}
