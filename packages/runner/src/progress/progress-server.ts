/** Receives the progress of all workers in the main process. */
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { readEnvironment, setProgressSocket } from '@coldboot/core/internal'
import { listenPrivately, type PrivateSocket } from '../private-socket.ts'
import { parseReport } from './activity.ts'
import { ProgressBoard, type ProgressDisplay } from './progress-board.ts'

/** Progress of a run. */
export interface ProgressServer {
  readonly board: ProgressBoard
  close(): void
}

/** Shows the progress of workers that are started later, until it is closed. */
export function serveProgress(display: ProgressDisplay): ProgressServer {
  const board = new ProgressBoard(display)
  let workers = 0
  const server: PrivateSocket = listenPrivately((socket) => {
    receive(board, String(workers++), socket)
  })
  const { progressSocket: outer } = readEnvironment()
  setProgressSocket(server.path)
  return {
    board,
    close() {
      server.close()
      setProgressSocket(outer)
    },
  }
}

function receive(board: ProgressBoard, worker: string, socket: Socket): void {
  socket.unref()
  socket.on('error', () => {})
  socket.on('close', () => board.forget(worker))
  const lines = createInterface(socket)
  // Emits the errors of the socket again.
  lines.on('error', () => {})
  lines.on('line', (line) => {
    const report = parseReport(line)
    if (report) board.receive(worker, report)
  })
}
