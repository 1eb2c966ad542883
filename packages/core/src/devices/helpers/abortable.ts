/** Makes waits of devices abortable with a signal. */
import { ExpectError } from '../../errors.ts'
import { unlessAborted } from '../../host/unless-aborted.ts'

/** Options of the waits of devices. */
export interface SignalOptions {
  /** Rejects the wait when it aborts, for example after a timeout: `AbortSignal.timeout(5_000)`. @default none */
  readonly signal?: AbortSignal
}

/**
 * @param what object of "waiting for", such as `the watchdog of machine "vm" to fire`
 * @throws ExpectError `EXPECT_ABORTED` with the reason of the signal as its cause
 */
export async function abortable<T>(promise: Promise<T>, what: string, { signal }: SignalOptions): Promise<T> {
  if (!signal) return promise
  return unlessAborted(
    promise,
    signal,
    (cause) => new ExpectError('EXPECT_ABORTED', `The wait for ${what} was aborted`, { cause }),
  )
}
