/**
 * Private directory of a machine or of a socket, mode 0700. Its name contains the identity of the process, so that the
 * next start of a machine can remove the directories of killed processes.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, StartError } from '../../errors.ts'
import { isAlive, ownerIn, thisProcess } from '../process-identity.ts'
import { makeDirectory } from './make-directory.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A private directory. */
export interface PrivateDirectory {
  readonly path: string
  /** Removes the directory and its content. Idempotent. */
  remove(): Promise<void>
}

let swept = false

/**
 * @throws StartError `START_FAILED` when the parent folder belongs to another user or is not writable
 */
export async function makePrivateDirectory(): Promise<PrivateDirectory> {
  const parent = privateParent()
  if (!swept) {
    swept = true
    sweep(parent)
  }
  const path = await mkdtemp(join(parent, prefix())).catch((error: unknown) => {
    throw unusable(parent, error)
  })
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/**
 * Synchronous variant of {@link makePrivateDirectory}, in the given folder for temporary files.
 *
 * @returns its path
 * @throws StartError as {@link makePrivateDirectory}
 */
export function makePrivateDirectorySync(temporary: string): string {
  const parent = privateParent(temporary)
  try {
    sweep(parent)
    return mkdtempSync(join(parent, prefix()))
  } catch (error) {
    throw unusable(parent, error)
  }
}

/** Length of the path of a private directory below a folder for temporary files, bytes. */
export function privateLength(temporary: string): number {
  return Buffer.byteLength(join(temporary, parentName(), `${prefix()}XXXXXX`))
}

/** The parent folder of the private directories of this user, in the folder for temporary files. */
export function privateParent(temporary: string = temporaryDirectory()): string {
  const user = process.getuid?.() ?? 0
  const parent = join(temporary, parentName())
  try {
    makeDirectory(parent, 0o700)
  } catch (error) {
    throw unusable(parent, error)
  }
  // In a shared /tmp, another user may have created the parent folder to read its content.
  const stats = statSync(parent)
  if (stats.uid !== user || (stats.mode & 0o077) !== 0) {
    throw new StartError('START_FAILED', `${parent} is not private to this user`, {
      hint: 'Remove it, or set TMPDIR to a private folder.',
    })
  }
  return parent
}

/** Removes the directories of processes that have ended. */
export function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = ownerIn(name)
    if (owner === undefined || isAlive(owner)) continue
    try {
      rmSync(join(parent, name), { recursive: true, force: true })
    } catch {
      // Another process may be removing the directory. In any case, an old directory must not prevent a start.
    }
  }
}

function parentName(): string {
  return `coldboot-${process.getuid?.() ?? 0}`
}

function prefix(): string {
  return `${thisProcess()}-`
}

function unusable(parent: string, cause: unknown): StartError {
  const reason = messageOf(cause)
  return new StartError('START_FAILED', `The files of a machine cannot be created in ${parent}: ${reason}`, {
    hint: 'Set TMPDIR to a writable folder on a disk with free space.',
    cause,
  })
}
