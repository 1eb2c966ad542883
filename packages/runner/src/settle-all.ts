/**
 * Waits for all promises. `Promise.all` rejects while the others are still pending.
 * @throws the reason of the first rejected promise
 */
export async function settleAll<Value>(promises: Iterable<Value | PromiseLike<Value>>): Promise<readonly Value[]> {
  const results = await Promise.allSettled(promises)
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
