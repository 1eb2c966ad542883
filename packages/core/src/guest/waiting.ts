/** Waits that end for more than one reason. */
import { afterReading, LONGEST_TIMER, startTimer, stopTimer } from '../host/clock.ts'
import type { GuestEnd } from './command-transport.ts'

/** What ends a wait. */
export interface Limits {
  /** Milliseconds, after the multiplier. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Settles when nothing can come any more. */
  readonly over: Promise<GuestEnd>
}

/** Why what was waited for did not come. */
export class Interrupted extends Error {
  readonly reason: 'time' | 'aborted' | 'over'
  /** For `over`. */
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
 * The promise's value.
 * @throws Interrupted, and what the promise is rejected with
 */
export async function within<T>(promise: Promise<T>, { timeoutMs, signal, over }: Limits): Promise<T> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(new Interrupted('aborted', { cause: signal?.reason }))
  const timer = startTimer(
    () => afterReading(() => reject(new Interrupted('time'))),
    Math.min(timeoutMs, LONGEST_TIMER),
  )
  // What came with the machine's last words counts before its end.
  void over.then((end) => afterReading(() => reject(new Interrupted('over', { end }))))
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  try {
    return await Promise.race([promise, interrupted])
  } finally {
    stopTimer(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
