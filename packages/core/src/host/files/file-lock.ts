/** Waits for a lock that one process of this user holds at a time. Loaded when a lock is needed. */
import { lock } from 'proper-lockfile'
import { codeOf } from '../../errors.ts'
import { now, startTimer, stopTimer } from '../clock.ts'

/** A lock not renewed for this long belongs to a dead process. Milliseconds. */
const STALE_MS = 10_000
/** Longest wait for a lock. After it, the work is done without the lock. Milliseconds. */
const PATIENCE_MS = 10 * 60 * 1000
/** Shortest and longest interval of the attempts to get a lock. Milliseconds. */
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [20, 250]

/** Parameters of {@link acquireLock}. */
export interface LockRequest {
  /** Called before each attempt, because a lock in a folder that became read-only is never released. */
  readonly check: () => Promise<void>
  /** Called once if another process holds the lock. */
  readonly onWait?: (() => void) | undefined
  /** Ends the wait, with its reason, when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** Acquires the lock of a path. @returns function that releases it */
export async function acquireLock(path: string, { check, onWait, signal }: LockRequest): Promise<() => Promise<void>> {
  // Losing a lock is harmless, for example because the computer was asleep.
  const options = { realpath: false, stale: STALE_MS, onCompromised: () => {} }
  const end = now() + PATIENCE_MS
  for (let waitMs = FIRST_WAIT_MS; now() < end; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    signal?.throwIfAborted()
    await check()
    try {
      return await lock(path, options)
    } catch (error) {
      if (codeOf(error) !== 'ELOCKED') throw error
    }
    if (waitMs === FIRST_WAIT_MS) onWait?.()
    await pause(waitMs, signal)
  }
  return async () => {}
}

/** Resolves after this time, or when the signal aborts. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = (): void => resolve()
  const timer = startTimer(end, milliseconds)
  signal?.addEventListener('abort', end, { once: true })
  // The signal may have aborted meanwhile.
  if (signal?.aborted === true) end()
  await promise
  signal?.removeEventListener('abort', end)
  stopTimer(timer)
}
