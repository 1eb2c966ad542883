/** Finds a directory for a socket whose path is short enough. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Longest path of a socket: `sun_path` of macOS has 104 bytes with its NUL. */
const MOST_PATH_BYTES = 103

/** A private directory with space for the path of a socket. */
export interface SocketDirectory {
  readonly path: string
  /** Removes it, unless it is the one of the caller. */
  remove(): Promise<void>
}

/** @returns the directory, or a private one with a short path if the path of the socket would be too long */
export async function socketDirectory(directory: string, socket: string): Promise<SocketDirectory> {
  if (Buffer.byteLength(join(directory, socket)) <= MOST_PATH_BYTES) return { path: directory, remove: async () => {} }
  const short = await mkdtemp('/tmp/coldboot-socket-')
  return { path: short, remove: () => rm(short, { recursive: true, force: true }) }
}
