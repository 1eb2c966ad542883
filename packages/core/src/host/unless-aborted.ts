/** Races a promise with an AbortSignal, and removes its listener from the signal. A signal that has aborted wins. */

/**
 * @param failure creates the error for an abort
 * @throws the error of `failure`, or the rejection of the promise
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  failure: (reason: unknown) => Error,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(failure(signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([aborted, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
