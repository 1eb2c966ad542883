/** Contents of files: text, bytes in memory, and streams of a known size. */
import { formatByteSize } from '../byte-size.ts'
import { MkfatfsError, reasonOf } from '../errors.ts'
import type { ContentsTarget, FileNode, FileSource } from './tree.ts'

/** Contents that are read when they are written to the image. `Blob` and `File` have this shape. */
export interface StreamedContents {
  /** Size in bytes. The stream must yield exactly this number of bytes. */
  readonly size: number
  stream(): AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>
}

/** Contents of a file. Text is stored as UTF-8. */
export type FileContents = string | Uint8Array | ArrayBuffer | StreamedContents

/** Returns the size and the source of `contents`; undefined for an invalid value. */
export function resolveContents(contents: unknown): { readonly size: number; readonly source: FileSource } | undefined {
  const bytes = bytesIn(contents)
  if (bytes !== undefined) return { size: bytes.length, source: new MemorySource(bytes) }
  if (!isStreamed(contents)) return undefined
  return { size: contents.size, source: new StreamSource(contents) }
}

/** Returns all bytes of `contents`; undefined for an invalid value. */
export async function readContents(contents: unknown): Promise<Uint8Array | undefined> {
  const bytes = bytesIn(contents)
  if (bytes !== undefined) return bytes
  if (!isStreamed(contents)) return undefined
  const all = new Uint8Array(contents.size)
  let done = 0
  for await (const chunk of chunksOf(contents.stream())) {
    if (done + chunk.length > all.length) return all
    all.set(chunk, done)
    done += chunk.length
  }
  return all.subarray(0, done)
}

function bytesIn(contents: unknown): Uint8Array | undefined {
  if (typeof contents === 'string') return new TextEncoder().encode(contents)
  if (contents instanceof Uint8Array) return contents
  if (contents instanceof ArrayBuffer) return new Uint8Array(contents)
  return undefined
}

function isStreamed(contents: unknown): contents is StreamedContents {
  if (typeof contents !== 'object' || contents === null) return false
  const { size, stream } = contents as Partial<StreamedContents>
  return Number.isSafeInteger(size) && Number(size) >= 0 && typeof stream === 'function'
}

class MemorySource implements FileSource {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  async copyTo(target: ContentsTarget, _file: FileNode, align: number): Promise<void> {
    const bytes = this.#bytes
    for (let done = 0; done < bytes.length; ) {
      const room = target.room(1)
      if (room === undefined) {
        await target.flush(done)
        continue
      }
      const piece = bytes.subarray(done, done + room.length)
      room.buffer.set(piece, room.offset)
      target.commit(piece.length)
      done += piece.length
    }
    await pad(target, bytes.length, align)
  }
}

class StreamSource implements FileSource {
  readonly #contents: StreamedContents

  constructor(contents: StreamedContents) {
    this.#contents = contents
  }

  async copyTo(target: ContentsTarget, file: FileNode, align: number): Promise<void> {
    let done = 0
    for await (const chunk of readable(this.#contents, file)) {
      done += chunk.length
      if (done > file.size) break
      await target.write(chunk)
    }
    if (done !== file.size) {
      const size = formatByteSize(file.size)
      throw new MkfatfsError('SOURCE_CHANGED', `"${file.path}" has ${size}, but its stream yielded another number.`, {
        offenders: [file.path],
      })
    }
    await pad(target, done, align)
  }
}

async function pad(target: ContentsTarget, bytes: number, align: number): Promise<void> {
  const missing = (align - (bytes % align)) % align
  if (missing > 0) await target.write(new Uint8Array(missing))
}

/** Yields the chunks of a stream. Wraps errors of the stream, but not those of the consumer. */
async function* readable(contents: StreamedContents, { path }: FileNode): AsyncGenerator<Uint8Array> {
  const chunks = chunksOf(contents.stream())
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        throw new MkfatfsError('READ_FAILED', `Could not read "${path}": ${reasonOf(error)}.`, {
          offenders: [path],
          cause: error,
        })
      })
      if (next.done) return
      yield next.value
    }
  } finally {
    await chunks.return(undefined)
  }
}

/** Iterates a stream. Safari's ReadableStream is not iterable. */
async function* chunksOf(stream: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (Symbol.asyncIterator in stream) {
    yield* stream
    return
  }
  const reader = (stream as ReadableStream<Uint8Array>).getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel()
  }
}
