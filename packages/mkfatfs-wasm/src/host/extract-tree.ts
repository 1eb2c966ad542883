/** Extracts the contents of an image into a directory of the host. */
import { closeSync, futimesSync, mkdirSync, openSync, readdirSync, rmSync, utimesSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { MkfatfsError, reasonOf } from '../errors.ts'
import type { ListedEntry } from '../read/list-tree.ts'
import type { MountedVolume } from '../read/mounted-volume.ts'

/** Options of `FatImage.extract()`. */
export interface ExtractOptions {
  /** Called several times per second, and at the end. */
  readonly onProgress?: (progress: { readonly bytes: number; readonly totalBytes: number }) => void
  /** Aborts the extraction: it rejects with the signal's reason. Files written so far remain. */
  readonly signal?: AbortSignal
}

/** Number of bytes and files after which the event loop gets a turn. */
const BYTES_PER_TURN = 2 ** 22
const FILES_PER_TURN = 64

/** Errors of the host about a single name, after which the extraction continues. */
const NAME_ERRORS = ['ENAMETOOLONG', 'EINVAL', 'EILSEQ', 'EEXIST']

/** @throws MkfatfsError `TARGET_NOT_EMPTY`, `WRITE_FAILED`, `READ_FAILED`, `EXTRACT_INCOMPLETE` after all other entries are written */
export async function extractTree(
  volume: MountedVolume,
  entries: readonly ListedEntry[],
  target: string,
  { onProgress, signal }: ExtractOptions,
): Promise<void> {
  const totalBytes = entries.reduce((sum, { size }) => sum + size, 0)
  const failures: MkfatfsError[] = []
  const missing = new Set<string>()
  let bytes = 0
  let turn = 0
  const takeTurns = async (cost: number) => {
    turn += cost
    if (turn < 1) return
    turn = 0
    onProgress?.({ bytes, totalBytes })
    await setImmediate()
    signal?.throwIfAborted()
  }
  signal?.throwIfAborted()
  prepare(target)
  for (const entry of entries) {
    const path = join(target, entry.path)
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')))
    try {
      if (missing.has(parent)) throw incomplete(entry.path, 'its directory could not be written')
      if (entry.isDirectory) attempt(entry.path, path, () => mkdirSync(path))
      else {
        // `wx` neither follows a link nor replaces a file: the host may consider two names of the image equal.
        const file = attempt(entry.path, path, () => openSync(path, 'wx'))
        let isComplete = false
        try {
          for (const chunk of volume.contents(entry.openPath)) {
            attempt(entry.path, path, () => writeAll(file, chunk))
            bytes += chunk.length
            await takeTurns(chunk.length / BYTES_PER_TURN)
          }
          const { modified } = entry
          if (modified !== undefined)
            attempt(entry.path, path, () => futimesSync(file, modified / 1000, modified / 1000))
          isComplete = true
        } catch (error) {
          if (!MkfatfsError.is(error) || !['IMAGE_DAMAGED', 'NOT_IN_IMAGE'].includes(error.code)) throw error
          throw incomplete(entry.path, error.shortMessage, error)
        } finally {
          attempt(entry.path, path, () => closeSync(file))
          if (!isComplete) rmSync(path)
        }
      }
    } catch (error) {
      failures.push(asIncomplete(error))
      if (entry.isDirectory) missing.add(entry.path)
    }
    await takeTurns(1 / FILES_PER_TURN)
  }
  // Sets the times of directories last, children first, because a new entry changes the time of its directory.
  for (const { isDirectory, path, modified } of entries.toReversed()) {
    if (!isDirectory || modified === undefined || missing.has(path)) continue
    const directory = join(target, path)
    try {
      attempt(path, directory, () => utimesSync(directory, modified / 1000, modified / 1000))
    } catch (error) {
      failures.push(asIncomplete(error))
    }
  }
  onProgress?.({ bytes, totalBytes })
  if (failures.length === 0) return
  const count = failures.length === 1 ? '1 entry' : `${failures.length} entries`
  throw new MkfatfsError('EXTRACT_INCOMPLETE', `${count} could not be extracted.`, {
    offenders: failures.flatMap(({ offenders }) => offenders),
    cause: failures[0],
  })
}

function prepare(target: string): void {
  const present = attempt(target, target, () => {
    mkdirSync(target, { recursive: true })
    return readdirSync(target).length
  })
  if (present > 0) throw new MkfatfsError('TARGET_NOT_EMPTY', `"${target}" has ${present} entries already.`)
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done)
}

function attempt<T>(entry: string, path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (error instanceof Error && 'code' in error && NAME_ERRORS.includes(String(error.code))) {
      throw incomplete(entry, String(error.code), error)
    }
    throw new MkfatfsError('WRITE_FAILED', `Could not write "${path}": ${reasonOf(error)}.`, {
      offenders: [path],
      cause: error,
    })
  }
}

/** @throws any other error */
function asIncomplete(error: unknown): MkfatfsError {
  if (MkfatfsError.is(error) && error.code === 'EXTRACT_INCOMPLETE') return error
  throw error
}

function incomplete(entry: string, why: string, cause?: unknown): MkfatfsError {
  return new MkfatfsError('EXTRACT_INCOMPLETE', `"${entry}" could not be extracted: ${why}.`, {
    offenders: [`${entry} (${why.replace(/\.$/, '')})`],
    cause,
  })
}
