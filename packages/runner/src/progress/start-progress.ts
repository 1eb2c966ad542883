/** Reports the activities of a worker to the main process. */
import { connect, type Socket } from 'node:net'
import { readEnvironment } from '@coldboot/core/internal'
import type { ActivityReport } from './activity.ts'
import { ProgressBoard } from './progress-board.ts'
import { ProgressLog } from './progress-log.ts'

/** A running activity. */
export interface Progress {
  update(detail: string, fraction?: number): void
  /** @default outcome 'done' */
  end(outcome?: 'done' | 'failed'): void
}

let lastId = 0

/** @param kind identifies activities with comparable durations */
export function startProgress(title: string, kind: string): Progress {
  const id = ++lastId
  const report = (change: Partial<ActivityReport>): void => send({ id, title, kind, ...change })
  let isOver = false
  report({})
  return {
    update(detail, fraction) {
      if (!isOver) report({ detail, fraction })
    },
    end(outcome = 'done') {
      if (!isOver) report({ outcome })
      isOver = true
    },
  }
}

let connection: { readonly path: string; readonly socket: Socket } | undefined
let log: ProgressBoard | undefined

function send(report: ActivityReport): void {
  const path = readEnvironment().progressSocket
  if (path === undefined) {
    // Without a server, prints to the standard error of the worker.
    log ??= new ProgressBoard(new ProgressLog((line) => process.stderr.write(line)))
    log.receive('', report)
    return
  }
  if (connection?.path !== path || connection.socket.destroyed) {
    const socket = connect(path).unref()
    // A failure to show progress must not fail a test.
    socket.on('error', () => {})
    connection = { path, socket }
  }
  connection.socket.write(`${JSON.stringify(report)}\n`)
}
