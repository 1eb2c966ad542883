/** A Unix socket that only this user's processes can connect to, for the workers of a run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { temporaryDirectory } from '@coldboot/core/internal'

/** A socket that listens. It does not keep the process alive, and is removed at its exit. */
export interface PrivateSocket {
  readonly path: string
  readonly close: () => void
}

const SOCKET = 'socket'
/** Bytes of a socket's path: 104 on macOS, more elsewhere, a NUL among them. */
const LONGEST_PATH = 103

/** @param prefix of the private directory's name */
export function listenPrivately(prefix: string, onConnection: (socket: Socket) => void): PrivateSocket {
  const folder = mkdtempSync(join(isShortEnough(temporaryDirectory(), prefix) ? temporaryDirectory() : '/tmp', prefix))
  const path = join(folder, SOCKET)
  const server = createServer(onConnection)
  server.listen(path).unref()
  const forget = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', forget)
  return {
    path,
    close() {
      server.close()
      process.off('exit', forget)
      forget()
    },
  }
}

function isShortEnough(parent: string, prefix: string): boolean {
  return Buffer.byteLength(join(parent, `${prefix}XXXXXX`, SOCKET)) <= LONGEST_PATH
}
