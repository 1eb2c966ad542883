/**
 * Ends QEMU reliably: `quit` on QMP, then SIGTERM, then SIGKILL. Each step has a time limit, because a QEMU that is
 * stopped or blocked on a host resource does not answer. The owner of the console must read its output meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterReading, startTimer } from '../host/clock.ts'
import type { ProcessExit, QemuProcess } from './process.ts'
import type { QmpClient } from './qmp.ts'

/** Time limit of `quit`, which normally takes 7 ms. Milliseconds. */
const QUIT_MS = 1_000
const SIGTERM_MS = 1_000

/** Ends QEMU, and resolves when the process has ended. Can be called at any time, even after the exit. */
export async function shutDown(process: QemuProcess, qmp: QmpClient): Promise<ProcessExit> {
  qmp.execute('quit').catch(() => {})
  if (!(await exitsWithin(process, QUIT_MS))) {
    process.terminate('SIGTERM')
    if (!(await exitsWithin(process, SIGTERM_MS))) process.terminate('SIGKILL')
  }
  return process.exited
}

/** Waits for the end of the process. Returns false after the time limit. */
export async function exitsWithin(process: QemuProcess, milliseconds: number): Promise<boolean> {
  const timer = new AbortController()
  const late = delay(milliseconds, false, { signal: timer.signal }).catch(() => false)
  const result = await Promise.race([process.exited.then(() => true), late])
  timer.abort()
  return result
}

/** Resolves after this time, when data that has arrived until then was read. Does not keep this process running. */
export async function afterDelay(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => startTimer(() => afterReading(resolve), milliseconds).unref())
}
