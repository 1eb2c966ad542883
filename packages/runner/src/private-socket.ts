/** Creates Unix sockets for the workers of a run. Only processes of this user can connect. */
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { makeSocketDirectory } from '@coldboot/core/internal'

/** A listening socket. It does not keep the process running, and is removed at its exit. */
export interface PrivateSocket {
  readonly path: string
  readonly close: () => void
}

const SOCKET = 'socket'

/** Listens in a new private directory. If this process is killed, the next start of a machine removes the directory. */
export function listenPrivately(onConnection: (socket: Socket) => void): PrivateSocket {
  const folder = makeSocketDirectory(SOCKET)
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
