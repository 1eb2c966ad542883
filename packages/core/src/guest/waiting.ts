/** Waits that end early by a timeout, a signal or the end of the guest. */
import { afterReading, LONGEST_TIMER, startTimer, stopTimer } from '../host/clock.ts'
import type { GuestEnd } from './command-transport.ts'

/** Limits of a wait. */
export interface Limits {
  /** Timeout, milliseconds, after the multiplier. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Resolves when the guest has ended. */
  readonly over: Promise<GuestEnd>
}

/** A wait ended early. */
export class Interrupted extends Error {
  readonly reason: 'time' | 'aborted' | 'over'
  /** Set if the reason is `over`. */
  readonly end: GuestEnd | undefined

  constructor(
    reason: 'time' | 'aborted' | 'over',
    details: { readonly cause?: unknown; readonly end?: GuestEnd } = {},
  ) {
    super(reason, { cause: details.cause })
    this.reason = reason
    this.end = details.end
  }
}

/**
 * Awaits a promise within limits.
 * @throws Interrupted, or the rejection of the promise
 */
export async function within<T>(promise: Promise<T>, { timeoutMs, signal, over }: Limits): Promise<T> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>()
  const timer = startTimer(
    () => afterReading(() => reject(new Interrupted('time'))),
    Math.min(timeoutMs, LONGEST_TIMER),
  )
  // Reads data that arrived before the end of the machine first, because it may resolve the promise.
  void over.then((end) => afterReading(() => reject(new Interrupted('over', { end }))))
  try {
    return await unlessAborted(Promise.race([promise, interrupted]), signal)
  } finally {
    stopTimer(timer)
  }
}

/**
 * Awaits a promise until the signal aborts. A signal that has already aborted takes precedence over the promise.
 * @throws Interrupted, or the rejection of the promise
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(new Interrupted('aborted', { cause: signal?.reason }))
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  try {
    return await Promise.race([aborted, promise])
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}
