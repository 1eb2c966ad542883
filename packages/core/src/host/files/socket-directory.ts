/** Private directories whose paths are short enough for sockets. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectorySync, privateLength } from './private-directory.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Longest path of a socket: `sun_path` of macOS has 104 bytes with its NUL. */
const MOST_PATH_BYTES = 103

/** A private directory with a path that is short enough for a socket. */
export interface SocketDirectory {
  readonly path: string
  /** Removes the directory, unless it is that of the caller. */
  remove(): Promise<void>
}

/** Finds a directory for a socket: the given one, or a new private one if the path of the socket would be too long. */
export async function socketDirectory(directory: string, socket: string): Promise<SocketDirectory> {
  if (Buffer.byteLength(join(directory, socket)) <= MOST_PATH_BYTES) return { path: directory, remove: async () => {} }
  const short = makePrivateDirectorySync('/tmp')
  return { path: short, remove: () => rm(short, { recursive: true, force: true }) }
}

/**
 * Makes a private directory for a socket of this process. If the process is killed, the next start of a machine removes
 * the directory.
 *
 * @returns its path
 * @throws StartError `START_FAILED` when it cannot be created
 */
export function makeSocketDirectory(socket: string): string {
  const temporary = temporaryDirectory()
  const isShort = privateLength(temporary) + 1 + Buffer.byteLength(socket) <= MOST_PATH_BYTES
  return makePrivateDirectorySync(isShort ? temporary : '/tmp')
}
