/** Writes the contents of an image into a directory of the host. */
import { closeSync, futimesSync, mkdirSync, openSync, readdirSync, utimesSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { MkfatfsError, reasonOf } from '../errors.ts'
import type { ListedEntry } from './list-tree.ts'
import type { MountedVolume } from './mounted-volume.ts'

/** Options of {@link FatImage.extract}. */
export interface ExtractOptions {
  /** Called now and then, and at the end. */
  readonly onProgress?: (progress: { readonly bytes: number; readonly totalBytes: number }) => void
  /** Ends it early: it rejects with the signal’s reason and leaves what was written. */
  readonly signal?: AbortSignal
}

/** Bytes and files after which others get their turn on the event loop. */
const BYTES_PER_TURN = 2 ** 22
const FILES_PER_TURN = 64

/** @throws MkfatfsError `TARGET_NOT_EMPTY`, `WRITE_FAILED`, `IMAGE_DAMAGED` */
export async function extractTree(
  volume: MountedVolume,
  entries: readonly ListedEntry[],
  target: string,
  { onProgress, signal }: ExtractOptions,
): Promise<void> {
  const totalBytes = entries.reduce((sum, { size }) => sum + size, 0)
  let bytes = 0
  let turn = 0
  const takeTurns = async (cost: number) => {
    turn += cost
    if (turn < 1) return
    turn = 0
    onProgress?.({ bytes, totalBytes })
    await setImmediate(undefined, { signal })
  }
  signal?.throwIfAborted()
  prepare(target)
  for (const entry of entries) {
    const path = join(target, entry.path)
    if (entry.isDirectory) attempt(path, () => mkdirSync(path))
    else {
      // Never through a link, never over a file: two names in the image may be one to the host.
      const file = attempt(path, () => openSync(path, 'wx'))
      try {
        for (const chunk of volume.contents(`/${entry.path}`)) {
          attempt(path, () => writeAll(file, chunk))
          bytes += chunk.length
          await takeTurns(chunk.length / BYTES_PER_TURN)
        }
        futimesSync(file, entry.modified / 1000, entry.modified / 1000)
      } finally {
        closeSync(file)
      }
    }
    await takeTurns(1 / FILES_PER_TURN)
  }
  // Last and from below: to create a file changes the time of its directory.
  for (const { isDirectory, path, modified } of entries.toReversed()) {
    if (isDirectory) utimesSync(join(target, path), modified / 1000, modified / 1000)
  }
  onProgress?.({ bytes, totalBytes })
}

function prepare(target: string): void {
  const present = attempt(target, () => {
    mkdirSync(target, { recursive: true })
    return readdirSync(target).length
  })
  if (present > 0) throw new MkfatfsError('TARGET_NOT_EMPTY', `"${target}" has ${present} entries already.`)
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done)
}

function attempt<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw new MkfatfsError('WRITE_FAILED', `Could not write "${path}": ${reasonOf(error)}.`, {
      offenders: [path],
      cause: error,
    })
  }
}
