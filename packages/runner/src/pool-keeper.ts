/** Starts a run's pool keeper, the process with the pooled machines, on the first request of a worker. Runs in the main process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { environmentWithoutDebugger, KEEPER_SOCKET, keeperScript } from '@coldboot/core/internal'
import { listenPrivately } from './private-socket.ts'

/** Access of the workers to the keeper of a run. */
export interface OfferedKeeper {
  /** Path of a socket. A connection to it starts the keeper, and ends when the keeper listens. */
  readonly path: string
  /** Ends the keeper with its machines. It may be started again. */
  readonly end: () => Promise<void>
  /** Ends the keeper, and stops listening. */
  readonly close: () => Promise<void>
}

/** Listens for workers that need a keeper. */
export function offerKeeper(): OfferedKeeper {
  let running: ChildProcess | undefined
  let started: Promise<void> | undefined
  const { path, close } = listenPrivately((socket) => {
    socket.on('error', () => {})
    started ??= start().catch(() => {})
    void started.then(() => socket.end())
  })

  async function start(): Promise<void> {
    const child = spawn(process.execPath, [keeperScript(), join(dirname(path), KEEPER_SOCKET)], {
      // A separate process group: Ctrl-C in a terminal must not end machines under their tests.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: environmentWithoutDebugger(),
    })
    running = child
    child.stdin.on('error', () => {})
    const exited = once(child, 'exit').finally(() => {
      if (running === child) running = started = undefined
    })
    await Promise.race([once(child.stdout, 'data'), exited])
    // The keeper ends when its standard input closes, with this process.
    child.unref()
    for (const stream of [child.stdin, child.stdout]) (stream as { unref?(): void }).unref?.()
  }

  async function end(): Promise<void> {
    await started
    const child = running
    if (child === undefined) return
    child.ref()
    const exited = once(child, 'exit')
    child.stdin?.destroy()
    await exited
  }

  return {
    path,
    end,
    async close() {
      close()
      await end()
    },
  }
}
