/** Waits of devices that a test may give up. */
import { ExpectError } from '../../errors.ts'
import { unlessAborted } from '../../host/unless-aborted.ts'

/** Options of every wait of a device. */
export interface SignalOptions {
  /** Ends the wait when it aborts, for a time limit too: `AbortSignal.timeout(5_000)`. @default none */
  readonly signal?: AbortSignal
}

/**
 * @param what what is waited for, as "the watchdog of machine "vm" to fire"
 * @throws ExpectError `EXPECT_ABORTED`, the signal's reason as its cause
 */
export async function abortable<T>(promise: Promise<T>, what: string, { signal }: SignalOptions): Promise<T> {
  if (!signal) return promise
  return unlessAborted(
    promise,
    signal,
    (cause) => new ExpectError('EXPECT_ABORTED', `Timed out waiting for ${what}`, { cause }),
  )
}
