/** Waits that end early by a timeout, a signal or the end of the guest. */
import { afterReading, startTimer, stopTimer } from '../host/clock.ts'
import { unlessAborted as rejectOnAbort } from '../host/unless-aborted.ts'
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
  const timer = startTimer(() => afterReading(() => reject(new Interrupted('time'))), timeoutMs)
  // Reads data that arrived before the end of the machine first, because it may resolve the promise.
  void over.then((end) => afterReading(() => reject(new Interrupted('over', { end }))))
  try {
    return await unlessAborted(Promise.race([promise, interrupted]), signal)
  } finally {
    stopTimer(timer)
  }
}

/**
 * Awaits a promise until the signal aborts.
 * @throws Interrupted, or the rejection of the promise
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return rejectOnAbort(promise, signal, (cause) => new Interrupted('aborted', { cause }))
}
