/** Reports activities of a worker to the process that shows them. */
import { connect, type Socket } from 'node:net'
import { readEnvironment } from '@coldboot/core/internal'
import type { ActivityReport } from './activity.ts'
import { ProgressBoard } from './progress-board.ts'
import { ProgressLog } from './progress-log.ts'

/** An activity that was started. */
export interface Progress {
  update(detail: string, fraction?: number): void
  /** @default outcome 'done' */
  end(outcome?: 'done' | 'failed'): void
}

let lastId = 0

/** @param kind identifies activities whose durations are comparable */
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
    // The runner was not configured for this: the worker's own standard error is what there is.
    log ??= new ProgressBoard(new ProgressLog((line) => process.stderr.write(line)))
    log.receive('', report)
    return
  }
  if (connection?.path !== path || connection.socket.destroyed) {
    const socket = connect(path).unref()
    // Progress that cannot be shown must not fail a test.
    socket.on('error', () => {})
    connection = { path, socket }
  }
  connection.socket.write(`${JSON.stringify(report)}\n`)
}
