/** Reader of a file of the host. */
import { closeSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { formatByteSize } from '../byte-size.ts'
import { MkfatfsError, reasonOf } from '../errors.ts'
import type { ContentsTarget, FileNode, FileSource } from '../tree/tree.ts'

/** Files up to this size are read with three synchronous calls, because waiting for a thread takes several times as long. */
const SMALL = 2 ** 17

/** A file that is opened when it is copied. */
export class HostFile implements FileSource {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  copyTo(target: ContentsTarget, file: FileNode, align: number): Promise<void> | void {
    if (file.size > SMALL) return this.#copyLarge(target, file, align)
    // Space for at least one byte more than the size, to detect that the file has grown; or for the rest of its last cluster.
    const least = file.size + align
    if (target.room(least) === undefined) return target.flush().then(() => this.#copySmall(target, file, align))
    this.#copySmall(target, file, align)
  }

  #copySmall(target: ContentsTarget, file: FileNode, align: number): void {
    const { buffer, offset } = target.room(file.size + 1) ?? { buffer: new Uint8Array(file.size + 1), offset: 0 }
    let bytes: number
    try {
      const descriptor = openSync(this.#path, 'r')
      try {
        bytes = readSync(descriptor, buffer, offset, file.size + 1, null)
      } finally {
        closeSync(descriptor)
      }
    } catch (error) {
      throw unreadable(file, error)
    }
    if (bytes !== file.size) throw changed(file)
    target.commit(bytes, align)
  }

  async #copyLarge(target: ContentsTarget, file: FileNode, align: number): Promise<void> {
    const failed = (error: unknown): never => {
      throw unreadable(file, error)
    }
    await using source = await open(this.#path, 'r').catch(failed)
    const { size } = await source.stat()
    if (size !== file.size) throw changed(file)
    for (let done = 0; done < size; ) {
      const room = target.room(1)
      if (room === undefined) {
        await target.flush(done)
        continue
      }
      const length = Math.min(room.length, size - done)
      const { bytesRead } = await source.read(room.buffer, room.offset, length, done).catch(failed)
      if (bytesRead === 0) throw changed(file)
      target.commit(bytesRead)
      done += bytesRead
    }
    await target.write(new Uint8Array((align - (size % align)) % align))
  }
}

function changed({ path, size }: FileNode): MkfatfsError {
  const was = formatByteSize(size)
  return new MkfatfsError('SOURCE_CHANGED', `"${path}" had ${was} and has another size now.`, { offenders: [path] })
}

function unreadable({ path }: FileNode, error: unknown): MkfatfsError {
  return new MkfatfsError('READ_FAILED', `Could not read "${path}": ${reasonOf(error)}.`, {
    offenders: [path],
    cause: error,
  })
}
