/** The contents of the files, one after the other, each on clusters of its own. */
import { closeSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { formatByteSize } from '../byte-size.ts'
import { MkfatfsError, reasonOf } from '../errors.ts'
import type { FileNode } from '../scan/tree.ts'
import type { SequentialWriter } from './sequential-writer.ts'

/**
 * Files up to this size are read by three quick synchronous calls: waiting for a thread costs several times more. A
 * buffer full of them, a few milliseconds, then others get their turn.
 */
const SMALL = 2 ** 17

/** What to do besides writing. */
export interface WriteFilesOptions {
  readonly clusterBytes: number
  readonly signal: AbortSignal | undefined
  /** Called with the bytes that are done. */
  readonly onBytes: (bytes: number) => void
}

/** @throws MkfatfsError `SOURCE_CHANGED`, `READ_FAILED` */
export async function writeFiles(
  files: readonly FileNode[],
  writer: SequentialWriter,
  { clusterBytes, signal, onBytes }: WriteFilesOptions,
): Promise<void> {
  let bytes = 0
  const flush = async (done = 0) => {
    await writer.flush()
    signal?.throwIfAborted()
    onBytes(bytes + done)
  }
  for (const file of files) {
    if (file.size === 0) continue
    if (file.size <= SMALL) {
      // One byte more than the file has, to see whether it grew; or the rest of its last cluster.
      if (writer.room(file.size + clusterBytes) === undefined) await flush()
      writer.commit(readSmall(file, writer), clusterBytes)
    } else {
      await writeLarge(file, writer, flush)
      await writer.write(Buffer.alloc(-file.size & (clusterBytes - 1)))
    }
    bytes += file.size
  }
}

function readSmall(file: FileNode, writer: SequentialWriter): number {
  const { buffer, offset } = writer.room(file.size + 1) ?? { buffer: Buffer.alloc(file.size + 1), offset: 0 }
  let bytes: number
  try {
    const descriptor = openSync(file.source, 'r')
    try {
      bytes = readSync(descriptor, buffer, offset, file.size + 1, null)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw unreadable(file, error)
  }
  if (bytes !== file.size) throw changed(file)
  return bytes
}

async function writeLarge(
  file: FileNode,
  writer: SequentialWriter,
  flush: (done: number) => Promise<void>,
): Promise<void> {
  const failed = (error: unknown): never => {
    throw unreadable(file, error)
  }
  await using source = await open(file.source, 'r').catch(failed)
  const { size } = await source.stat()
  if (size !== file.size) throw changed(file)
  for (let done = 0; done < size; ) {
    const room = writer.room(1)
    if (room === undefined) {
      await flush(done)
      continue
    }
    const length = Math.min(room.length, size - done)
    const { bytesRead } = await source.read(room.buffer, room.offset, length, done).catch(failed)
    if (bytesRead === 0) throw changed(file)
    writer.commit(bytesRead)
    done += bytesRead
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
