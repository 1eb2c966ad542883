/**
 * Ends a QEMU for certain: ask on the control channel, then SIGTERM, then SIGKILL. Each step is bounded, because a QEMU
 * may be stopped, or blocked on a host resource, and then answers nothing. The console is drained meanwhile by its owner.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessExit, QemuProcess } from './process.ts'
import type { QmpClient } from './qmp.ts'

/** A healthy QEMU ends 7 ms after `quit`; the bounds are for the others. Milliseconds. */
const QUIT_MS = 1_000
const SIGTERM_MS = 1_000

/** Resolves when the process is gone. Safe to call at any time, also after the exit. */
export async function shutDown(process: QemuProcess, qmp: QmpClient): Promise<ProcessExit> {
  qmp.execute('quit').catch(() => {})
  if (!(await exitsWithin(process, QUIT_MS))) {
    process.terminate('SIGTERM')
    if (!(await exitsWithin(process, SIGTERM_MS))) process.terminate('SIGKILL')
  }
  return process.exited
}

async function exitsWithin(process: QemuProcess, milliseconds: number): Promise<boolean> {
  const timer = new AbortController()
  const late = delay(milliseconds, false, { signal: timer.signal }).catch(() => false)
  const result = await Promise.race([process.exited.then(() => true), late])
  timer.abort()
  return result
}
