/** Waits of devices that a test may give up. */
import { ExpectError } from '../errors.ts'

/** Options of every wait of a device. */
export interface SignalOptions {
  /** Ends the wait when it aborts, for a time limit too: `AbortSignal.timeout(5_000)`. @default none */
  readonly signal?: AbortSignal
}

/**
 * @param what what is waited for, as “the watchdog of machine “vm” to fire”
 * @throws ExpectError `EXPECT_ABORTED`, the signal’s reason as its cause
 */
export async function abortable<T>(promise: Promise<T>, what: string, { signal }: SignalOptions): Promise<T> {
  if (!signal) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void =>
    reject(new ExpectError('EXPECT_ABORTED', `Gave up waiting for ${what}`, { cause: signal.reason }))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
