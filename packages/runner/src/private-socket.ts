/** Creates Unix sockets for the workers of a run. Only processes of this user can connect. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { temporaryDirectory } from '@coldboot/core/internal'

/** A listening socket. It does not keep the process running, and is removed at its exit. */
export interface PrivateSocket {
  readonly path: string
  readonly close: () => void
}

const SOCKET = 'socket'
/** Maximum size of a socket path with its NUL, bytes: that of macOS. Other systems allow more. */
const LONGEST_PATH = 103

/** @param prefix start of the name of the private directory */
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
