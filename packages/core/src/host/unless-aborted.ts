/** Races a promise with a signal, and leaves no listener behind on a signal that outlives it. */

/**
 * @param failure makes the error of an abort
 * @throws that error; what the promise rejects with
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
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
